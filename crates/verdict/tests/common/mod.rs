//! A snapshot, its key, and tokens signed with it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use verdict::{Body, Freshness, NoCache, Peer, Request, Snapshot, UnixTime, Verdict, decide};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const KID: &str = "key-1";

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The wire form of a snapshot with one host, to be varied.
pub(crate) fn document() -> Value {
    json!({
        "format": 1,
        "version": {"epoch": 1, "generation": 2, "revocation": 3},
        "issued_at": NOW,
        "issuer": "https://writ.example",
        "leeway": 5,
        "hash_key": encode([9; 16]),
        "keys": [{"kid": KID, "alg": "EdDSA", "x": encode(signing_key().verifying_key().as_bytes())}],
        "hosts": [{
            "names": ["logs.internal"],
            "audience": "mesh",
            "rules": [
                {"method": "GET", "path": "/{bucket}", "query": {"prefix": "optional"}, "action": "s3:ListBucket",
                 "resource": "s3://{bucket}", "params": {"prefix": {"from": "query.prefix"}}},
                {"method": "GET", "path": "/{bucket}/{*key}", "action": "s3:GetObject", "resource": "s3://{bucket}/{key}"},
                {"method": "POST", "path": "/upload/{name}", "action": "s3:PutObject", "resource": "s3://up/{name}",
                 "body": "opaque", "upgrade": ["websocket"]},
                {"method": "POST", "path": "/rds", "query": {"Action": "required", "n": "optional"},
                 "action": "rds:{query.Action}", "resource": "rds://db/{query.Action}",
                 "params": {"n": {"from": "query.n", "type": "number"}, "tenant": {"from": "header.x-tenant"}}},
                {"method": "GET", "path": "/healthz", "action": "none"}
            ]
        }]
    })
}

pub(crate) fn snapshot(document: &Value) -> Snapshot {
    Snapshot::from_json(document.to_string().as_bytes()).unwrap()
}

/// Claims that open May's logs, to be varied.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://writ.example", "aud": "mesh", "exp": NOW + 60, "iat": NOW, "jti": "t-1", "sub": "alice",
        "act": {"sub": "spiffe://example.org/agent/janitor"}, "client_id": "log-janitor", "txn": "task-1",
        "authorization_details": [
            {"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]},
            {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://my-bucket"],
             "constraints": {"prefix": {"glob": "logs/2026-05*"}}},
            {"type": "task_grant", "actions": ["s3:PutObject", "rds:Describe*"], "resources": ["s3://up/*", "rds://db/*"]}
        ],
        "writ": {"client": "log-janitor", "tasks": ["task-1"], "agents": ["spiffe://example.org/agent/janitor"],
                 "lineage": [], "depth": 0, "max_depth": 2}
    })
}

pub(crate) fn sign(header: &Value, payload: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", encode(header.to_string()), encode(payload));
    let signature = signing_key().sign(input.as_bytes());
    format!("{input}.{}", encode(signature.to_bytes()))
}

pub(crate) fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": KID})
}

pub(crate) fn token(claims: &Value) -> String {
    sign(&header(), claims.to_string())
}

/// A GET with a token; further fields after it.
pub(crate) fn get(path: &str, token: &str, more: &[(&str, &[u8])]) -> Vec<(Vec<u8>, Vec<u8>)> {
    request("GET", path, Some(token), more)
}

pub(crate) fn request(
    method: &str,
    path: &str,
    token: Option<&str>,
    more: &[(&str, &[u8])],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (b":method".into(), method.into()),
        (b":path".into(), path.into()),
        (b":authority".into(), b"logs.internal".into()),
    ];
    if let Some(token) = token {
        fields.push((b"authorization".into(), format!("Bearer {token}").into()));
    }
    fields.extend(more.iter().map(|(name, value)| (name.as_bytes().into(), value.to_vec())));
    fields
}

pub(crate) fn judge_at(
    snapshot: &Snapshot,
    fields: &[(Vec<u8>, Vec<u8>)],
    body: Body<'_>,
    now: u64,
) -> Verdict {
    let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { headers: &headers, body, peer: &Peer::none() };
    decide(snapshot, &request, UnixTime(now), Freshness::Static, &mut NoCache)
}

/// `allow`, the denial's code, or what is missing.
pub(crate) fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allow(_) => "allow",
        Verdict::NeedsUse(_) => "needs a use",
        Verdict::Deny(denial) => denial.code().as_str(),
        Verdict::NeedsBody(_) => "needs_body",
    }
}

pub(crate) fn judge(fields: &[(Vec<u8>, Vec<u8>)]) -> &'static str {
    code(&judge_at(&snapshot(&document()), fields, Body::Absent, NOW))
}
