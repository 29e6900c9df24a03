//! A snapshot, a token and a request of ordinary size, for measuring.

pub mod fanout;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::forge::Key;
use serde_json::json;
use verdict::Snapshot;

/// The instant of every measurement that chooses its own, Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// The issuer of [`token`].
pub const ISSUER: &str = "http://127.0.0.1:8080";
/// The host whose rules read the request.
pub const HOST: &str = "logs.internal";
/// The path of the request, which [`token`] grants.
pub const PATH: &str = "/my-bucket/logs/2026-05/app.log";

/// The key that signs [`token`].
#[must_use]
pub fn key() -> Key {
    Key::from_seed([42; 32])
}

/// The wire form of a snapshot with one host and two rules.
#[must_use]
pub fn document() -> Vec<u8> {
    json!({
        "format": 1, "version": {"epoch": 1, "generation": 1, "revocation": 0}, "issued_at": NOW,
        "issuer": ISSUER, "leeway": 5, "hash_key": URL_SAFE_NO_PAD.encode([9; 16]),
        "keys": [{"kid": key().kid(), "alg": "EdDSA", "x": key().x()}],
        "hosts": [{"names": [HOST], "audience": "mesh", "rules": [
            {"method": "GET", "path": "/{bucket}", "query": {"prefix": "optional"}, "action": "s3:ListBucket",
             "resource": "s3://{bucket}", "params": {"prefix": {"from": "query.prefix"}}},
            {"method": "GET", "path": "/{bucket}/{*key}", "action": "s3:GetObject", "resource": "s3://{bucket}/{key}"},
        ]}],
    })
    .to_string()
    .into_bytes()
}

/// The compiled [`document`].
///
/// # Panics
/// If the document is no snapshot, which a test of the verdict would have found.
#[must_use]
pub fn snapshot() -> Snapshot {
    Snapshot::from_json(&document()).expect("the document is a snapshot")
}

/// A token with one grant, as the server issues it; `number` makes each one another.
#[must_use]
pub fn token(number: u64) -> String {
    token_at(&key(), number, NOW)
}

/// As [`token`], signed with `key` and issued at `now`, Unix seconds.
#[must_use]
pub fn token_at(key: &Key, number: u64, now: u64) -> String {
    let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": key.kid()});
    let task = "019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e";
    let claims = json!({
        "iss": ISSUER, "aud": "mesh", "exp": now + 3600, "iat": now,
        "jti": format!("019a5e3c-8d3f-7b52-9c0e-{number:012x}"), "sub": "log-janitor", "client_id": "log-janitor", "txn": task,
        "authorization_details": [
            {"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]}],
        "writ": {"client": "log-janitor", "tasks": [task], "agents": ["log-janitor"], "lineage": [], "depth": 0, "max_depth": 2},
    });
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The request of every measurement as Envoy hands it to the filter, with `token`.
#[must_use]
pub fn headers(token: &str) -> Vec<(&'static str, String)> {
    [
        (":authority", HOST),
        (":path", PATH),
        (":method", "GET"),
        (":scheme", "http"),
        ("user-agent", "agent/1.0"),
        ("accept", "*/*"),
        ("authorization", &format!("Bearer {token}")),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-envoy-internal", "true"),
        ("x-request-id", "5d1f1c61-9bb0-4c3f-8d0c-2a3a1c7c9d10"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}
