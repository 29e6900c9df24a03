//! A policy, its key, and tokens and requests to try on it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use wasm_filter::{host::ContextId, root::Root, stream::Stream};

use crate::fake::FakeHost;

/// The instant of every test, Unix seconds.
pub(crate) const NOW: u64 = 1_800_000_000;
/// The task of every token.
pub(crate) const TASK: &str = "task-1";

/// The root's context.
pub(crate) const ROOT: ContextId = ContextId(1);

const KID: &str = "key-1";

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A snapshot with a host that enforces, `logs.internal`, and one in shadow, `shadow.internal`.
pub(crate) fn snapshot() -> Value {
    let rules = json!([
        {"method": "GET", "path": "/{bucket}/{*key}", "action": "s3:GetObject", "resource": "s3://{bucket}/{key}"},
        {"method": "PUT", "path": "/{bucket}/{*key}", "action": "s3:PutObject", "resource": "s3://{bucket}/{key}",
         "body": "opaque"},
        {"method": "POST", "path": "/{bucket}/{*key}", "action": "s3:PutObject", "resource": "s3://{bucket}/{key}",
         "body": "json", "max_body": 4096, "params": {"size": {"from": "body./size", "type": "number"}}},
        {"method": "POST", "path": "/{bucket}", "action": "s3:PutObject", "resource": "s3://{bucket}/logs/2026-05/form",
         "body": "form", "form": {"tag": "optional"}},
        {"method": "GET", "path": "/live", "action": "none", "upgrade": ["websocket"]},
    ]);
    json!({
        "format": 1,
        "version": {"epoch": 2, "generation": 5, "revocation": 9},
        "issued_at": NOW,
        "issuer": "https://writ.example",
        "leeway": 0,
        "hash_key": base64url([1; 16]),
        "keys": [{"kid": KID, "alg": "EdDSA", "x": base64url(signing_key().verifying_key().as_bytes())}],
        "hosts": [
            {"names": ["logs.internal"], "audience": "mesh", "rules": rules},
            {"names": ["shadow.internal"], "audience": "mesh", "mode": {"shadow": {"until": NOW + 60}}, "rules": rules},
        ],
    })
}

/// The plugin configuration with this snapshot.
pub(crate) fn configuration(snapshot: &Value) -> Vec<u8> {
    json!({ "snapshot": snapshot }).to_string().into_bytes()
}

/// A root with [`snapshot`] in force.
pub(crate) fn configured(host: &FakeHost) -> Root<FakeHost> {
    let mut root = Root::new(host.clone(), ROOT);
    assert!(root.configure(&configuration(&snapshot())), "{:?}", host.state().log);
    root
}

/// A token that may read and write May's logs, with `changes` made to its claims.
pub(crate) fn token(changes: Value) -> String {
    let mut claims = json!({
        "iss": "https://writ.example", "aud": "mesh", "exp": NOW + 300, "iat": NOW - 10, "jti": "token-1",
        "sub": "janitor", "client_id": "orchestrator", "txn": TASK,
        "authorization_details": [{
            "type": "task_grant",
            "actions": ["s3:GetObject", "s3:PutObject"],
            "resources": ["s3://my-bucket/logs/2026-05/**"],
        }],
        "writ": {"client": "orchestrator", "tasks": [TASK], "agents": ["janitor"], "lineage": [], "depth": 0,
                 "max_depth": 0},
    });
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    claims.as_object_mut().expect("claims are an object").extend(changes);
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": KID});
    let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    let signature = signing_key().sign(signed.as_bytes()).to_bytes();
    format!("{signed}.{}", base64url(signature))
}

/// Header fields of a request to `logs.internal` with this token.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let mut fields = vec![
        field(":method", method),
        field(":scheme", "http"),
        field(":authority", "logs.internal"),
        field(":path", path),
    ];
    fields.extend(token.map(|token| field("authorization", format!("Bearer {token}"))));
    fields
}

/// One header field.
pub(crate) fn field(name: &str, value: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.into(), value.as_ref().to_vec())
}

/// A new request on `root`.
pub(crate) fn stream(
    host: &FakeHost,
    root: &Root<FakeHost>,
    fields: Vec<(String, Vec<u8>)>,
) -> Stream<FakeHost> {
    host.state_mut().headers = fields;
    root.stream(ContextId(2))
}
