//! A host that does not do as asked: the request is denied, whatever else was done before.

use serde_json::json;
use wasm_filter::{
    root::Root,
    stream::{Flow, Stream},
};

use crate::{
    fake::FakeHost,
    fixture::{ROOT, configured, field, request, stream, token},
};

fn granted(host: &FakeHost) -> Stream<FakeHost> {
    let root = configured(host);
    let bound = token(json!({}));
    let mut fields = request("GET", "/my-bucket/logs/2026-05/a.log", Some(&bound));
    fields.push(field("x-writ-agent", "forged"));
    stream(host, &root, fields)
}

#[test]
fn every_failed_call_denies() {
    for call in ["request_headers", "now", "remove_request_header", "set_request_header", "set_property"] {
        let host = FakeHost::new();
        let mut stream = granted(&host);
        host.state_mut().failing.insert(call);

        assert_eq!(stream.on_request_headers(true), Flow::Pause, "{call}");
        let response = host.response();
        assert_eq!((response.status, response.code().as_str()), (503, "server_unavailable"), "{call}");
        assert_eq!(stream.on_request_body(1, true), Flow::Pause, "{call}");
        assert_eq!(host.metric("writ.decisions.allow"), 0, "{call}");
        assert!(host.state().log.iter().any(|(_, line)| line.contains(call)), "{call}");
    }
}

#[test]
fn a_certificate_that_cannot_be_read_denies() {
    let host = FakeHost::new();
    let root = configured(&host);
    let bound = token(json!({"cnf": {"spiffe": "spiffe://example.org/agent"}}));
    host.state_mut().failing.insert("property");

    let fields = request("GET", "/my-bucket/logs/2026-05/a.log", Some(&bound));
    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    assert_eq!(host.response().code(), "server_unavailable");
}

#[test]
fn a_denial_that_cannot_be_sent_stays_a_denial() {
    let host = FakeHost::new();
    let root = configured(&host);
    host.state_mut().failing.insert("send_response");

    let mut stream = stream(&host, &root, request("GET", "/my-bucket/k", None));
    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(stream.on_request_body(1, false), Flow::Pause);
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
}

#[test]
fn without_configuration_every_request_is_denied() {
    let host = FakeHost::new();
    let root = Root::new(host.clone(), ROOT);

    let fields = request("GET", "/live", None);
    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    assert_eq!(host.response().code(), "stale_snapshot");
    assert_eq!(host.response().header("retry-after"), Some("5"));
}

#[test]
fn a_second_set_of_header_fields_is_not_forwarded_unjudged() {
    let host = FakeHost::new();
    let mut stream = granted(&host);

    assert_eq!(stream.on_request_headers(true), Flow::Continue);
    assert_eq!(stream.on_request_headers(true), Flow::Pause);
    assert_eq!(stream.on_request_body(1, true), Flow::Pause);
    assert_eq!(host.response().status, 400);
}
