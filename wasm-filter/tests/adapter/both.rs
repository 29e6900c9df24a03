//! A request whose body was read, and about which a server is asked: it waits with its body.

use prost::Message as _;
use proto::v1::{UseResponse, use_response::Outcome};
use serde_json::json;
use verdict::revocation::Kind;
use wasm_filter::{
    bodies::{MAX_HELD_BY_TASK, PATIENCE},
    host::{CallId, ContextId},
    root::Root,
    stream::{self, Flow, Stream},
};

use crate::{
    deltas::{delta, encode, hash},
    fake::FakeHost,
    feed::{at_five, hear},
    fixture::{NOW, TASK, field, request, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

/// A request with a body of JSON under a grant that may be used once.
fn begin(host: &FakeHost, root: &Root<FakeHost>, context: u32) -> Stream<FakeHost> {
    let granted = json!([{
        "type": "task_grant", "id": "g1", "actions": ["s3:*"], "resources": ["s3://my-bucket/logs/2026-05/**"],
        "constraints": {"size": {"max": 10}}, "limits": {"uses": 1},
    }]);
    let mut fields = request("POST", PATH, Some(&token(json!({"authorization_details": granted}))));
    fields.push(field("content-type", "application/json"));
    host.state_mut().headers = fields;
    let mut stream = root.stream(ContextId(context));
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    stream
}

/// All of it has come.
fn come(host: &FakeHost, stream: &mut Stream<FakeHost>, body: &str) -> Flow {
    host.state_mut().body = body.as_bytes().to_vec();
    stream.on_request_body(body.len(), true)
}

fn answer(host: &FakeHost, call: u32) {
    let message = UseResponse { outcome: Outcome::Counted.into(), left: 0 }.encode_to_vec();
    let size = message.len();
    host.state_mut().message = message;
    stream::on_answer(host, CallId(call), 0, size);
}

#[test]
fn a_use_is_counted_for_what_the_body_says_and_once() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let mut stream = begin(&host, &root, 10);
    assert!(host.state().called.is_empty(), "what the body says may deny it");
    assert_eq!(come(&host, &mut stream, r#"{"size": 5}"#), Flow::Pause);
    assert_eq!(host.state().called.len(), 1);
    answer(&host, 1);
    assert_eq!((host.state().resumed.clone(), host.state().called.len()), (vec![10], 1));
    assert_eq!(host.header("x-writ-task"), [TASK]);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn a_body_that_is_denied_spends_no_use() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let mut stream = begin(&host, &root, 10);
    assert_eq!(come(&host, &mut stream, r#"{"size": 50}"#), Flow::Pause);
    assert_eq!(host.response().code(), "constraint_violated");
    assert!(host.state().called.is_empty());
}

#[test]
fn trailers_may_end_the_body() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let mut stream = begin(&host, &root, 10);
    host.state_mut().body = br#"{"size": 5}"#.to_vec();
    assert_eq!(stream.on_request_body(11, false), Flow::Pause);
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
    answer(&host, 1);
    assert_eq!(host.state().resumed, [10]);
}

#[test]
fn what_was_revoked_while_the_server_was_asked_is_denied() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let mut stream = begin(&host, &root, 10);
    assert_eq!(come(&host, &mut stream, r#"{"size": 5}"#), Flow::Pause);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    answer(&host, 1);
    assert_eq!(host.response().code(), "revoked");
    assert!(host.state().resumed.is_empty());
}

#[test]
fn a_body_counts_while_its_request_waits_and_no_longer() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let full = format!("{{\"size\": 5{}}}", " ".repeat(4_096 - 11));
    let places = u32::try_from(MAX_HELD_BY_TASK / full.len()).unwrap();
    let mut asking = begin(&host, &root, 10);
    assert_eq!(come(&host, &mut asking, &full), Flow::Pause);
    let mut others: Vec<_> = (1..places).map(|index| begin(&host, &root, 100 + index)).collect();
    for stream in &mut others {
        assert_eq!(stream.on_request_body(full.len(), false), Flow::Pause);
    }
    assert!(host.state().responses.is_empty(), "as many as there is room for");
    let mut next = begin(&host, &root, 9_000);
    assert_eq!(come(&host, &mut next, &full), Flow::Pause);
    assert_eq!(host.response().code(), "server_unavailable");

    // What was answered gives its room up, though its request goes on.
    host.state_mut().responses.clear();
    answer(&host, 1);
    let mut next = begin(&host, &root, 9_001);
    assert_eq!(come(&host, &mut next, &full), Flow::Pause);
    assert!(host.state().responses.is_empty());
    drop(others);

    // The body has ended: nobody cuts it off any more.
    for seconds in [1, 2 + PATIENCE / 1_000] {
        host.state_mut().now = NOW + seconds;
        root.on_tick();
    }
    assert_eq!(host.metric("writ.decisions.body_invalid"), 0);
}
