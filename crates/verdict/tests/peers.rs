//! Sender binding against real certificates: only a validated one with one well-formed URI confirms a name.

mod common;

use common::{NOW, claims, code, document, get, snapshot, token};
use rcgen::{CertificateParams, DnType, KeyPair, SanType, string::Ia5String};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use verdict::{Body, Freshness, NoCache, Peer, Request, UnixTime, decide};

const AGENT: &str = "spiffe://example.org/agent/janitor";

struct Certificate {
    pem: Vec<u8>,
    thumbprint: String,
}

fn certificate(sans: &[SanType], subject: &str) -> Certificate {
    let mut params = CertificateParams::default();
    params.subject_alt_names = sans.to_vec();
    params.distinguished_name.push(DnType::CommonName, subject);
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    // As Envoy encodes it.
    let pem = made
        .pem()
        .replace('\n', "%0A")
        .replace(' ', "%20")
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    Certificate { pem: pem.into_bytes(), thumbprint: common::encode(Sha256::digest(made.der())) }
}

fn uri(text: &str) -> SanType {
    SanType::URI(Ia5String::try_from(text).unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(Ia5String::try_from(text).unwrap())
}

fn judge(cnf: &Value, peer: &Peer) -> &'static str {
    let mut claims = claims();
    claims["cnf"] = cnf.clone();
    let fields = get("/my-bucket/logs/2026-05/a", &token(&claims), &[]);
    let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer };
    code(&decide(&snapshot(&document()), &request, UnixTime(NOW), Freshness::Static, &mut NoCache))
}

#[test]
fn the_named_peer_passes() {
    let own = certificate(&[dns("janitor.example.org"), uri(AGENT)], "janitor");
    let peer = Peer::from_url_encoded_pem(&own.pem, true);
    assert_eq!(judge(&json!({"spiffe": AGENT}), &peer), "allow");
    assert_eq!(judge(&json!({"x5t#S256": own.thumbprint}), &peer), "allow");
    assert_eq!(judge(&json!({"x5t#S256": own.thumbprint, "spiffe": AGENT}), &peer), "allow");
}

#[test]
fn every_member_must_hold() {
    let own = certificate(&[uri(AGENT)], "janitor");
    let peer = Peer::from_url_encoded_pem(&own.pem, true);
    for cnf in [
        json!({"spiffe": "spiffe://example.org/agent/other"}),
        json!({"spiffe": AGENT, "x5t#S256": common::encode([0; 32])}),
        json!({"spiffe": "spiffe://example.org/agent/other", "x5t#S256": own.thumbprint}),
        json!({"spiffe": AGENT, "jkt": "x"}),
        json!({"jkt": "x"}),
        json!({}),
    ] {
        assert_eq!(judge(&cnf, &peer), "sender_mismatch", "{cnf}");
    }
}

#[test]
fn a_name_that_is_not_the_only_uri_is_no_name() {
    for (what, sans, subject) in [
        ("two URIs", vec![uri(AGENT), uri("spiffe://example.org/agent/other")], "janitor"),
        ("the same URI twice", vec![uri(AGENT), uri(AGENT)], "janitor"),
        ("a URI cut by NUL", vec![uri(&format!("{AGENT}\0.evil"))], "janitor"),
        ("a subject that reads like one", vec![], AGENT),
        ("a DNS name that reads like one", vec![dns(AGENT)], AGENT),
        ("another scheme", vec![uri("https://example.org/agent/janitor")], AGENT),
    ] {
        let peer = Peer::from_url_encoded_pem(&certificate(&sans, subject).pem, true);
        assert_eq!(judge(&json!({"spiffe": AGENT}), &peer), "sender_mismatch", "{what}");
    }
}

#[test]
fn a_certificate_that_envoy_did_not_validate_proves_nothing() {
    let own = certificate(&[uri(AGENT)], "janitor");
    let presented = Peer::from_url_encoded_pem(&own.pem, false);
    assert_eq!(judge(&json!({"spiffe": AGENT}), &presented), "sender_mismatch");
    assert_eq!(judge(&json!({"x5t#S256": own.thumbprint}), &presented), "sender_mismatch");
    assert_eq!(judge(&json!({"spiffe": AGENT}), &Peer::none()), "sender_mismatch");
}
