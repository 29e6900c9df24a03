//! Requests before the first snapshot: who waits, for how long, and what becomes of them.

use serde_json::json;
use wasm_filter::{
    host::ContextId,
    root::Root,
    stream::{Flow, Stream},
    waiting::MAX_WAITING,
};

use crate::{
    fake::FakeHost,
    feed::{fed, hear, pieces},
    fixture::{ROOT, request, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

/// The header fields of a granted request have come.
fn begin(host: &FakeHost, root: &Root<FakeHost>, context: u32, method: &str, end: bool) -> Stream<FakeHost> {
    host.state_mut().headers = request(method, PATH, Some(&token(json!({}))));
    let mut stream = root.stream(ContextId(context));
    assert_eq!(stream.on_request_headers(end), Flow::Pause);
    stream
}

fn arrive(host: &FakeHost, root: &mut Root<FakeHost>) {
    for piece in pieces(5, 1, |_| {}) {
        hear(host, root, 1, piece);
    }
    assert!([0, ROOT.0].contains(&host.state().current), "back in the root's context");
}

fn pass(host: &FakeHost, root: &mut Root<FakeHost>, ticks: u32) {
    for _ in 0..ticks {
        let nanos = host.state().nanos + 100_000_000;
        host.state_mut().nanos = nanos;
        root.on_tick();
    }
}

#[test]
fn the_snapshot_lets_it_go_on() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 2, "GET", true);
    assert_eq!(host.metric("writ.requests.waiting"), 1);
    assert!(host.state().responses.is_empty());

    arrive(&host, &mut root);
    assert_eq!(host.state().resumed, [2]);
    assert_eq!((host.metric("writ.requests.waiting"), host.metric("writ.decisions.allow")), (0, 1));
    assert_eq!(host.header("x-writ-client"), ["orchestrator"]);
    assert_eq!(stream.on_request_body(0, true), Flow::Continue);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn the_snapshot_denies_it() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 2, "DELETE", true);
    arrive(&host, &mut root);
    assert_eq!((host.state().resumed.len(), host.state().answered.as_slice()), (0, &[2][..]));
    assert_eq!(host.response().code(), "no_route");
    assert_eq!(stream.on_request_body(5, true), Flow::Pause);
}

#[test]
fn what_comes_of_the_body_meanwhile_counts() {
    // An undeclared body is ambiguous, whenever it came.
    for (size, resumed) in [(5, 0), (0, 1)] {
        let host = FakeHost::new();
        let mut root = fed(&host, ROOT);
        let mut stream = begin(&host, &root, 2, "GET", false);
        assert_eq!(stream.on_request_body(0, false), Flow::Pause);
        assert_eq!(stream.on_request_body(size, true), Flow::Pause);
        arrive(&host, &mut root);
        assert_eq!(host.state().resumed.len(), resumed, "{size}");
        assert_eq!(host.state().responses.len(), 1 - resumed, "{size}");
    }
}

#[test]
fn it_may_go_on_waiting_for_its_body() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 2, "PUT", false);
    arrive(&host, &mut root);
    assert!(host.state().resumed.is_empty() && host.state().responses.is_empty());
    assert_eq!(stream.on_request_body(5, true), Flow::Continue);
    assert_eq!(host.metric("writ.decisions.allow"), 1);
    let lookups = host.metric("writ.token_cache.hit") + host.metric("writ.token_cache.miss");
    assert_eq!(lookups, 1, "looked up once, as far as counters are concerned");
}

#[test]
fn after_two_seconds_it_is_denied() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 2, "GET", true);
    pass(&host, &mut root, 20);
    assert!(host.state().responses.is_empty());
    pass(&host, &mut root, 1);
    assert_eq!((host.response().status, host.response().code().as_str()), (503, "stale_snapshot"));
    assert_eq!(host.response().header("retry-after"), Some("5"));
    assert_eq!(host.metric("writ.requests.waiting"), 0);
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
    arrive(&host, &mut root);
    assert!(host.state().resumed.is_empty(), "answered once");
}

#[test]
fn whoever_has_gone_is_forgotten() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    drop(begin(&host, &root, 2, "GET", true));
    assert_eq!(host.metric("writ.requests.waiting"), 0);
    let _gone = begin(&host, &root, 3, "GET", true);
    host.state_mut().gone.insert(3);
    arrive(&host, &mut root);
    assert!(host.state().resumed.is_empty() && host.state().responses.is_empty());
    assert_eq!(host.metric("writ.decisions.allow"), 0);
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let contexts = 2..2 + u32::try_from(MAX_WAITING).unwrap();
    let _waiting: Vec<_> = contexts.map(|context| begin(&host, &root, context, "GET", true)).collect();
    assert!(host.state().responses.is_empty());
    let _denied = begin(&host, &root, 5_000, "GET", true);
    assert_eq!(host.response().code(), "stale_snapshot");
    arrive(&host, &mut root);
    pass(&host, &mut root, 40);
    // This host has one set of header fields for all, which the first one's permit edits.
    assert_eq!(host.state().resumed.len() + host.state().answered.len(), MAX_WAITING + 1);
}

/// So many requests wait.
fn crowd(host: &FakeHost, root: &Root<FakeHost>, count: u32) -> Vec<Stream<FakeHost>> {
    (2..2 + count).map(|context| begin(host, root, context, "GET", true)).collect()
}

/// Those who are done, in the order in which they were.
fn done(host: &FakeHost) -> Vec<u32> {
    let state = host.state();
    [state.resumed.as_slice(), state.answered.as_slice()].concat()
}

#[test]
fn a_crowd_is_let_go_in_parts() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let _crowd = crowd(&host, &root, 80);
    arrive(&host, &mut root);
    assert_eq!((done(&host).len(), host.metric("writ.requests.waiting")), (32, 48));
    assert_eq!(host.state().tick, Some(10));

    // Whoever comes now is judged at once.
    let token = token(json!({}));
    let mut late = stream_of(&host, &root, 500, &token);
    assert_eq!(late.on_request_headers(true), Flow::Continue);
    // By the snapshot that is in force then, even where it came between.
    for piece in pieces(6, 1, |document| document["hosts"] = json!([])) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(host.metric("writ.requests.waiting"), 16);
    root.on_tick();
    assert_eq!((host.metric("writ.requests.waiting"), host.state().tick), (0, Some(1_000)));
    root.on_tick();
    assert_eq!(done(&host), (2..82).collect::<Vec<_>>(), "each once, in the order in which they came");
}

fn stream_of(host: &FakeHost, root: &Root<FakeHost>, context: u32, token: &str) -> Stream<FakeHost> {
    host.state_mut().headers = request("GET", PATH, Some(token));
    root.stream(ContextId(context))
}

#[test]
fn a_crowd_is_denied_in_parts() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let _crowd = crowd(&host, &root, 70);
    pass(&host, &mut root, 21);
    assert_eq!((host.state().answered.len(), host.state().tick), (32, Some(10)));
    let _young = begin(&host, &root, 500, "GET", true);
    root.on_tick();
    root.on_tick();
    assert_eq!(host.state().answered, (2..72).collect::<Vec<_>>());
    assert_eq!((host.metric("writ.requests.waiting"), host.state().tick), (1, Some(100)));
    assert!(host.state().responses.iter().all(|response| response.code() == "stale_snapshot"));
}

#[test]
fn a_snapshot_judges_the_rest_of_a_crowd_that_was_denied() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let _crowd = crowd(&host, &root, 40);
    pass(&host, &mut root, 21);
    arrive(&host, &mut root);
    assert_eq!((host.metric("writ.requests.waiting"), host.metric("writ.decisions.allow")), (0, 1));
    assert_eq!(host.metric("writ.decisions.stale_snapshot"), 32);
}

#[test]
fn a_second_set_of_header_fields_ends_the_wait() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 2, "GET", false);
    assert_eq!(stream.on_request_headers(true), Flow::Pause);
    assert_eq!(host.response().status, 400);
    arrive(&host, &mut root);
    assert!(host.state().resumed.is_empty());
}

#[test]
fn a_request_that_cannot_be_resumed_stays_paused() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let _stream = begin(&host, &root, 2, "GET", true);
    host.state_mut().failing.insert("resume_request");
    arrive(&host, &mut root);
    assert!(host.state().log.iter().any(|(_, line)| line.contains("resume_request")));
}
