//! A body that the verdict rests on is read to its end before anything goes on, and no further than its rule says.

use serde_json::json;
use verdict::revocation::Kind;
use wasm_filter::{
    bodies::{MAX_HELD, MAX_HELD_BY_TASK, PATIENCE},
    host::ContextId,
    root::Root,
    stream::{Flow, Stream},
};

use crate::{
    deltas::{delta, encode, hash},
    fake::FakeHost,
    feed::{at_five, fed, hear, pieces},
    fixture::{NOW, ROOT, TASK, configured, field, request, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";
const GOOD: &str = r#"{"size": 5}"#;

/// A request with a body of JSON, none of which has come.
fn begin(host: &FakeHost, root: &Root<FakeHost>, context: u32, extra: &[(&str, &str)]) -> Stream<FakeHost> {
    begin_for(host, root, context, TASK, extra)
}

/// The same for a task.
fn begin_for(
    host: &FakeHost,
    root: &Root<FakeHost>,
    context: u32,
    task: &str,
    extra: &[(&str, &str)],
) -> Stream<FakeHost> {
    let granted = json!([{
        "type": "task_grant", "actions": ["s3:*"], "resources": ["s3://my-bucket/logs/2026-05/**"],
        "constraints": {"size": {"max": 10}},
    }]);
    let writ = json!({"client": "orchestrator", "tasks": [task], "agents": ["janitor"], "lineage": [], "depth": 0,
                      "max_depth": 0});
    let token = token(json!({"authorization_details": granted, "txn": task, "writ": writ}));
    let mut fields = request("POST", PATH, Some(&token));
    fields.push(field("content-type", "application/json"));
    fields.extend(extra.iter().map(|(name, value)| field(name, value)));
    host.state_mut().headers = fields;
    root.stream(ContextId(context))
}

/// All that has come so far.
fn come(host: &FakeHost, stream: &mut Stream<FakeHost>, body: &str, end: bool) -> Flow {
    host.state_mut().body = body.as_bytes().to_vec();
    stream.on_request_body(body.len(), end)
}

#[test]
fn nothing_goes_on_before_the_whole_was_judged() {
    for extra in [&[][..], &[("content-length", "11")]] {
        let host = FakeHost::new();
        let root = configured(&host);
        let mut stream = begin(&host, &root, 2, extra);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        assert_eq!(come(&host, &mut stream, "", false), Flow::Pause);
        assert_eq!(come(&host, &mut stream, &GOOD[..4], false), Flow::Pause);
        assert_eq!(come(&host, &mut stream, GOOD, false), Flow::Pause);
        assert_eq!(host.metric("writ.decisions.allow"), 0);
        assert_eq!(come(&host, &mut stream, GOOD, true), Flow::Continue);
        assert_eq!(host.metric("writ.decisions.allow"), 1);
        assert_eq!(host.header("x-writ-task"), [TASK]);
        let lookups = host.metric("writ.token_cache.hit") + host.metric("writ.token_cache.miss");
        assert_eq!(lookups, 1, "judged twice, counted once");
    }
}

#[test]
fn trailers_end_a_body() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut stream = begin(&host, &root, 2, &[]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, GOOD, false), Flow::Pause);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn what_the_body_says_is_denied() {
    for (body, code) in [
        (r#"{"size": 11}"#, "constraint_violated"),
        (r#"{"size": "5"}"#, "constraint_violated"),
        (r#"{"size": 5, "size": 5}"#, "body_invalid"),
        (r#"{"size": 5, "Size": 50}"#, "ambiguous_request"),
        (r#"{"size": 5"#, "body_invalid"),
        ("", "body_invalid"),
    ] {
        let host = FakeHost::new();
        let root = configured(&host);
        let mut stream = begin(&host, &root, 2, &[]);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        assert_eq!(come(&host, &mut stream, body, true), Flow::Pause);
        assert_eq!(host.response().code(), code, "{body}");
        assert!(host.header("x-writ-task").is_empty());
    }
}

#[test]
fn a_body_over_its_cap_is_refused_before_more_of_it_comes() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut stream = begin(&host, &root, 2, &[]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, &" ".repeat(4096), false), Flow::Pause);
    assert!(host.state().responses.is_empty());
    assert_eq!(come(&host, &mut stream, &" ".repeat(4097), false), Flow::Pause);
    assert_eq!((host.response().status, host.response().code().as_str()), (413, "body_too_large"));

    let host = FakeHost::new();
    let root = configured(&host);
    let mut stream = begin(&host, &root, 2, &[("content-length", "4097")]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(host.response().code(), "body_too_large", "promised, and not waited for");
}

#[test]
fn a_stranger_is_answered_before_anything_is_read() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut stream = begin(&host, &root, 2, &[]);
    host.state_mut().headers.retain(|(name, _)| name != "authorization");
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(host.response().code(), "missing_token");
}

#[test]
fn a_body_that_cannot_be_had_is_not_judged() {
    for fail in [true, false] {
        let host = FakeHost::new();
        let root = configured(&host);
        let mut stream = begin(&host, &root, 2, &[]);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        if fail {
            host.state_mut().failing.insert("request_body");
        }
        // Otherwise the host has another body than it told of.
        host.state_mut().body = GOOD.into();
        assert_eq!(stream.on_request_body(GOOD.len() - usize::from(!fail), true), Flow::Pause);
        assert_eq!(host.response().code(), "server_unavailable");
    }
}

#[test]
fn a_revocation_that_comes_with_the_body_wins() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let mut stream = begin(&host, &root, 7, &[]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, &GOOD[..4], false), Flow::Pause);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    assert_eq!(come(&host, &mut stream, GOOD, true), Flow::Pause);
    assert_eq!(host.response().code(), "revoked");
}

#[test]
fn a_body_that_does_not_end_is_denied_in_time() {
    for is_fed in [false, true] {
        let host = FakeHost::new();
        let mut root = if is_fed { at_five(&host) } else { configured(&host) };
        let mut stream = begin(&host, &root, 7, &[]);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        assert_eq!(come(&host, &mut stream, &GOOD[..4], false), Flow::Pause);
        // The first tick that finds it waiting is where its time begins.
        for seconds in [1, PATIENCE / 1000] {
            host.state_mut().now = NOW + seconds;
            root.on_tick();
            assert!(host.state().responses.is_empty());
        }
        host.state_mut().now = NOW + 1 + PATIENCE / 1000;
        root.on_tick();
        assert_eq!((host.response().code().as_str(), &*host.state().answered), ("body_invalid", &[7][..]));
        assert!([0, ROOT.0].contains(&host.state().current), "back in the root's context");
        assert_eq!(come(&host, &mut stream, GOOD, true), Flow::Pause, "too late");
        root.on_tick();
        assert_eq!(host.state().answered, [7], "once");
    }
}

#[test]
fn who_has_gone_is_waited_for_no_more() {
    let host = FakeHost::new();
    let mut root = configured(&host);
    let mut stream = begin(&host, &root, 7, &[]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, &GOOD[..4], false), Flow::Pause);
    root.on_tick();
    drop(stream);
    host.state_mut().gone.insert(7);
    host.state_mut().now = NOW + 60;
    root.on_tick();
    assert!(host.state().responses.is_empty());
}

/// So many bodies of `count` bytes that have begun, of tasks in turns.
fn hold(
    host: &FakeHost,
    root: &Root<FakeHost>,
    tasks: &[&str],
    (count, body): (usize, &str),
) -> Vec<Stream<FakeHost>> {
    let hold = |(index, task): (u32, &&str)| {
        let mut stream = begin_for(host, root, 100 + index, task, &[]);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        assert_eq!(come(host, &mut stream, body, false), Flow::Pause);
        stream
    };
    (0..).zip(tasks.iter().cycle().take(count)).map(hold).collect()
}

#[test]
fn all_bodies_of_a_worker_are_bounded() {
    let host = FakeHost::new();
    let root = configured(&host);
    let full = " ".repeat(4096);
    let tasks = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut streams = hold(&host, &root, &tasks, (MAX_HELD / full.len(), &full));
    assert!(host.state().responses.is_empty());
    streams.extend(hold(&host, &root, &["i"], (1, &full)));
    assert_eq!(host.response().code(), "server_unavailable");

    // Whoever goes makes room.
    streams.truncate(streams.len() - 2);
    let mut next = begin_for(&host, &root, 9_999, "i", &[]);
    assert_eq!(next.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut next, GOOD, true), Flow::Continue);
}

#[test]
fn no_task_takes_all_the_room_for_bodies() {
    let host = FakeHost::new();
    let root = configured(&host);
    let full = " ".repeat(4096);
    let mut streams = hold(&host, &root, &["a"], (MAX_HELD_BY_TASK / full.len(), &full));
    assert!(host.state().responses.is_empty());
    let others = hold(&host, &root, &["b"], (1, &full));
    assert!(host.state().responses.is_empty());
    streams.extend(hold(&host, &root, &["a"], (1, &full)));
    assert_eq!(host.response().code(), "server_unavailable");
    drop((streams, others));
    let mut next = begin_for(&host, &root, 9_999, "a", &[]);
    assert_eq!(next.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut next, GOOD, true), Flow::Continue);
}

#[test]
fn a_body_that_came_before_the_snapshot_is_read_with_it() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 7, &[]);
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, &GOOD[..4], false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, GOOD, true), Flow::Pause);
    arrive(&host, &mut root);
    assert_eq!(host.state().resumed, [7]);
}

#[test]
fn a_body_that_comes_in_two_halves_around_the_snapshot_is_one() {
    for by_trailers in [false, true] {
        let host = FakeHost::new();
        let mut root = fed(&host, ROOT);
        let mut stream = begin(&host, &root, 7, &[]);
        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        let first = if by_trailers { GOOD } else { &GOOD[..4] };
        assert_eq!(come(&host, &mut stream, first, false), Flow::Pause);
        arrive(&host, &mut root);
        assert!(host.state().resumed.is_empty() && host.state().responses.is_empty());
        let flow =
            if by_trailers { stream.on_request_trailers() } else { come(&host, &mut stream, GOOD, true) };
        assert_eq!(flow, Flow::Continue);
        assert_eq!(host.metric("writ.decisions.allow"), 1);
    }
}

#[test]
fn bytes_that_were_seen_are_no_empty_form() {
    // Trailers do not tell of the body: that some came before the snapshot must not be forgotten.
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut stream = begin(&host, &root, 7, &[]);
    {
        let mut state = host.state_mut();
        let fields = &mut state.headers;
        fields.iter_mut().find(|(name, _)| name == ":path").unwrap().1 = b"/my-bucket".to_vec();
        let kind = fields.iter_mut().find(|(name, _)| name == "content-type").unwrap();
        kind.1 = b"application/x-www-form-urlencoded".to_vec();
        fields.iter_mut().find(|(name, _)| name == "authorization").unwrap().1 =
            format!("Bearer {}", token(json!({}))).into_bytes();
    }
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, "other=1", false), Flow::Pause);
    arrive(&host, &mut root);
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
    assert_eq!(host.response().code(), "ambiguous_request");
}

#[test]
fn shadow_forwards_what_it_cannot_read() {
    let body = " ".repeat(5_000);
    let host = FakeHost::new();
    let mut root = configured(&host);
    let mut stream = begin(&host, &root, 7, &[]);
    host.state_mut().headers[2] = field(":authority", "shadow.internal");
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut stream, &body, false), Flow::Continue);
    assert_eq!(host.metric("writ.shadow.body_too_large"), 1);

    let mut slow = begin(&host, &root, 8, &[]);
    host.state_mut().headers[2] = field(":authority", "shadow.internal");
    assert_eq!(slow.on_request_headers(false), Flow::Pause);
    assert_eq!(come(&host, &mut slow, "{", false), Flow::Pause);
    for seconds in [1, 30] {
        host.state_mut().now = NOW + seconds;
        root.on_tick();
    }
    assert_eq!(host.state().resumed, [8]);
    assert_eq!(host.metric("writ.shadow.body_invalid"), 1);
    assert_eq!(come(&host, &mut slow, "{}", true), Flow::Continue);
}

fn arrive(host: &FakeHost, root: &mut Root<FakeHost>) {
    for piece in pieces(5, 1, |_| {}) {
        hear(host, root, 1, piece);
    }
}
