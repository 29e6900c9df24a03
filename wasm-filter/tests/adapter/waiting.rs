//! Requests whose verdict depends on a body that may come: who waits, and that waiting counts for nothing.

use serde_json::json;
use wasm_filter::{
    root::Root,
    stream::{Flow, Stream},
};

use crate::{
    fake::FakeHost,
    fixture::{NOW, ROOT, configured, field, request, stream, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";
const OTHER_PATH: &str = "/my-bucket/logs/2026-06/a.log";

/// The header fields have come, more of the request may follow.
fn begin(host: &FakeHost, fields: Vec<(String, Vec<u8>)>) -> (Stream<FakeHost>, Flow) {
    let root = configured(host);
    let mut stream = stream(host, &root, fields);
    let flow = stream.on_request_headers(false);
    (stream, flow)
}

#[test]
fn a_stranger_never_waits() {
    let expired = token(json!({"exp": NOW - 1}));
    let bound = token(json!({"cnf": {"spiffe": "spiffe://example.org/agent"}}));
    let cases: [(&str, &str, Option<&str>, &str); 6] = [
        ("GET", PATH, None, "missing_token"),
        ("PUT", PATH, None, "missing_token"),
        ("DELETE", "/nothing//here", None, "missing_token"),
        ("PUT", PATH, Some("a.b.c"), "malformed_token"),
        ("PUT", PATH, Some(&expired), "expired"),
        ("PUT", PATH, Some(&bound), "sender_mismatch"),
    ];
    for (method, path, token, code) in cases {
        let host = FakeHost::new();
        let (mut stream, flow) = begin(&host, request(method, path, token));
        assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, code));

        assert_eq!(stream.on_request_body(5, true), Flow::Pause);
        assert_eq!(host.metric(&format!("writ.decisions.{code}")), 1);
    }
}

#[test]
fn a_request_that_no_body_can_help_does_not_wait() {
    for (method, path, code) in [
        ("PUT", OTHER_PATH, "not_granted"),
        ("DELETE", PATH, "no_route"),
        ("GET", "/a//b", "ambiguous_request"),
    ] {
        let host = FakeHost::new();
        begin(&host, request(method, path, Some(&token(json!({})))));
        assert_eq!(host.response().code(), code);
    }
}

#[test]
fn without_configuration_nobody_waits() {
    let host = FakeHost::new();
    let root = Root::new(host.clone(), ROOT);
    let mut stream = stream(&host, &root, request("GET", "/live", None));
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(host.response().code(), "stale_snapshot");
}

#[test]
fn a_denial_that_a_body_changes_waits_for_it() {
    // An undeclared body is denied before the grants are read.
    for (size, code) in [(0, "not_granted"), (1, "ambiguous_request")] {
        let host = FakeHost::new();
        let (mut stream, _) = begin(&host, request("GET", OTHER_PATH, Some(&token(json!({})))));
        assert!(host.state().responses.is_empty());
        assert_eq!(stream.on_request_body(size, true), Flow::Pause);
        assert_eq!(host.response().code(), code);
    }
}

#[test]
fn a_request_is_counted_once_however_often_it_is_judged() {
    let token = token(json!({}));
    let host = FakeHost::new();
    let root = configured(&host);
    let pass = |method, path| {
        let mut stream = stream(&host, &root, request(method, path, Some(&token)));
        let _ = stream.on_request_headers(false);
        let _ = stream.on_request_body(0, true);
    };
    pass("PUT", PATH);
    assert_eq!((host.metric("writ.token_cache.miss"), host.metric("writ.token_cache.hit")), (1, 0));
    pass("PUT", PATH);
    pass("PUT", OTHER_PATH);
    pass("GET", OTHER_PATH);
    assert_eq!((host.metric("writ.token_cache.miss"), host.metric("writ.token_cache.hit")), (1, 3));
    assert_eq!(host.metric("writ.decisions.allow"), 2);
    assert_eq!(host.metric("writ.decisions.not_granted"), 2);
}

#[test]
fn a_request_in_shadow_is_recorded_once() {
    let host = FakeHost::new();
    let mut fields = request("PUT", PATH, None);
    fields[2] = field(":authority", "shadow.internal");
    let (mut stream, _) = begin(&host, fields);
    assert_eq!(host.metric("writ.shadow.missing_token"), 0);

    assert_eq!(stream.on_request_body(5, true), Flow::Continue);
    assert_eq!(host.metric("writ.shadow.missing_token"), 1);
    let recorded = host.state().log.iter().filter(|(_, line)| line.contains("would deny")).count();
    assert_eq!(recorded, 1);
}

#[test]
fn what_is_judged_is_what_goes_on_and_when() {
    for change in [
        (|host: &FakeHost| host.state_mut().headers[3] = field(":path", OTHER_PATH)) as fn(&FakeHost),
        |host| host.state_mut().now = NOW + 300,
        |host| host.state_mut().failing.extend(["request_headers"]),
    ] {
        let host = FakeHost::new();
        let (mut stream, _) = begin(&host, request("PUT", PATH, Some(&token(json!({})))));
        assert!(host.state().responses.is_empty(), "it waits");
        change(&host);
        assert_eq!(stream.on_request_body(5, true), Flow::Pause);
        assert_eq!(host.state().responses.len(), 1);
    }
}
