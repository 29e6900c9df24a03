//! A request is judged once it is known whether it has a body, and not before.

use serde_json::json;
use verdict::Body;
use wasm_filter::{
    body::announced,
    stream::{Flow, Stream},
};

use crate::{
    fake::FakeHost,
    fixture::{configured, field, request, stream, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

fn begin(host: &FakeHost, method: &str, extra: &[(&str, &str)]) -> Stream<FakeHost> {
    let root = configured(host);
    let mut fields = request(method, PATH, Some(&token(json!({}))));
    fields.extend(extra.iter().map(|(name, value)| field(name, value)));
    stream(host, &root, fields)
}

#[test]
fn without_length_the_first_byte_is_awaited() {
    let host = FakeHost::new();
    let mut stream = begin(&host, "GET", &[("transfer-encoding", "chunked")]);

    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(stream.on_request_body(0, false), Flow::Pause);
    assert!(host.state().responses.is_empty());
    assert_eq!(stream.on_request_body(1, false), Flow::Pause);
    assert_eq!(host.response().code(), "ambiguous_request");
}

#[test]
fn an_empty_body_is_none() {
    for extra in [[("transfer-encoding", "chunked")], [("content-length", "0")]] {
        let host = FakeHost::new();
        let mut stream = begin(&host, "GET", &extra);

        assert_eq!(stream.on_request_headers(false), Flow::Pause);
        assert_eq!(stream.on_request_body(0, true), Flow::Continue);
    }
}

#[test]
fn trailers_alone_are_no_body() {
    let host = FakeHost::new();
    let mut stream = begin(&host, "GET", &[("transfer-encoding", "chunked")]);

    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn a_declared_body_flows_once_allowed() {
    let host = FakeHost::new();
    let mut stream = begin(&host, "PUT", &[]);

    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(stream.on_request_body(3, false), Flow::Continue);
    assert_eq!(stream.on_request_body(0, false), Flow::Continue);
    assert_eq!(stream.on_request_body(3, false), Flow::Continue);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn a_promised_body_is_judged_before_it_comes() {
    let (allowed, denied) = (FakeHost::new(), FakeHost::new());

    assert_eq!(begin(&allowed, "PUT", &[("content-length", "5")]).on_request_headers(false), Flow::Continue);
    assert_eq!(begin(&denied, "GET", &[("content-length", "5")]).on_request_headers(false), Flow::Pause);
    assert_eq!(denied.response().code(), "ambiguous_request");
}

#[test]
fn a_websocket_handshake_is_judged_at_once() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut fields = request("GET", "/live", None);
    fields.extend([field("connection", "keep-alive, Upgrade"), field("upgrade", "WebSocket")]);

    let mut stream = stream(&host, &root, fields);
    assert_eq!(stream.on_request_headers(false), Flow::Continue);
    assert_eq!(stream.on_request_body(100, false), Flow::Continue);
}

#[test]
fn a_tunnel_is_refused_at_once() {
    let host = FakeHost::new();
    assert_eq!(begin(&host, "CONNECT", &[]).on_request_headers(false), Flow::Pause);
    assert_eq!(host.response().code(), "no_route");
}

#[test]
fn a_handshake_with_a_length_of_nothing_is_one() {
    for length in ["0", "00"] {
        let host = FakeHost::new();
        let root = configured(&host);
        let mut fields = request("GET", "/live", None);
        fields.extend([field("connection", "upgrade"), field("upgrade", "websocket")]);
        fields.push(field("content-length", length));

        assert_eq!(stream(&host, &root, fields).on_request_headers(false), Flow::Continue);
    }
}

#[test]
fn half_a_websocket_handshake_is_not_one() {
    for extra in [
        vec![("upgrade", "websocket")],
        vec![("connection", "upgrade"), ("upgrade", "h2c")],
        vec![("connection", "upgrade"), ("upgrade", "websocket"), ("transfer-encoding", "chunked")],
    ] {
        let fields: Vec<_> = extra.iter().map(|(name, value)| field(name, value)).collect();
        assert_eq!(announced(&fields, false), None, "{extra:?}");
    }
}

#[test]
fn what_is_no_length_is_not_waited_for() {
    for length in ["", "+0", "0, 0", "5"] {
        assert_eq!(announced(&[field("content-length", length)], false), Some(Body::Present), "`{length}`");
    }
}
