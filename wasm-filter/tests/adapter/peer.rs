//! The sender's certificate: read from the connection, only when a token asks for it.

use serde_json::json;
use wasm_filter::stream::Flow;

use crate::{
    fake::FakeHost,
    fixture::{configured, field, request, stream, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

#[test]
fn an_unbound_token_costs_no_read() {
    let host = FakeHost::new();
    let root = configured(&host);

    assert_eq!(
        stream(&host, &root, request("GET", PATH, Some(&token(json!({}))))).on_request_headers(true),
        Flow::Continue
    );
    assert_eq!(host.state().attribute_reads, 0);
}

#[test]
fn a_bound_token_reads_the_connection_and_never_a_header() {
    let host = FakeHost::new();
    let root = configured(&host);
    let bound = token(json!({"cnf": {"spiffe": "spiffe://example.org/agent"}}));
    let mut fields = request("GET", PATH, Some(&bound));
    fields.push(field("x-forwarded-client-cert", "URI=spiffe://example.org/agent"));

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    assert_eq!(host.response().code(), "sender_mismatch");
    assert_eq!(host.state().attribute_reads, 1);
}

#[test]
fn a_certificate_that_is_none_proves_nothing() {
    let bound = token(json!({"cnf": {"spiffe": "spiffe://example.org/agent"}}));
    for certificate in [&b"%00"[..], b"", b"\xff\xfe", b"-----BEGIN%20CERTIFICATE-----"] {
        let host = FakeHost::new();
        let root = configured(&host);
        host.state_mut().attributes.insert("connection.peer_certificate".into(), certificate.to_vec());
        host.state_mut().attributes.insert("connection.peer_certificate_valid".into(), vec![1]);

        assert_eq!(
            stream(&host, &root, request("GET", PATH, Some(&bound))).on_request_headers(true),
            Flow::Pause
        );
        assert_eq!(host.response().code(), "sender_mismatch");
    }
}
