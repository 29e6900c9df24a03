//! Servers and Envoys that all parts share.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{
    Result,
    api::Client,
    envoy::Shipped,
    error::unexpected,
    fleet::{Fleet, Gate, Plan},
    http::{Payload, RawRequest, h1},
};
use serde_json::{Value, json};
use writ_benches::{HOST, PATH};

const CLIENT: &str = "orchestrator";
const SECRET: &str = "measured-secret";

/// The hash is that of [`SECRET`].
const POLICY: &str = r#"
namespace: logs
clients:
  orchestrator:
    authenticate: {secret_sha256: "30717a83fcba5977becb212a76d775cdfe51a7e4ed0ba3224e111e3e43ceeeec"}
    may_request: [{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m}]
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}", query: {prefix: optional}, action: "s3:ListBucket", resource: "s3://{bucket}", params: {prefix: query.prefix}}
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
"#;

/// A server for each of `stores`, which are the same database.
pub(super) async fn fleet(stores: &[String]) -> Result<Fleet> {
    Fleet::start(&Plan { stores, policy: POLICY, config: "issuer: https://writ.example.org\n" }).await
}

/// A client of the server `number`.
pub(super) fn client(fleet: &Fleet, number: usize) -> Result<Client> {
    fleet.client(number, CLIENT, SECRET)
}

/// An Envoy that follows the server `number`.
pub(super) async fn gate(fleet: &Fleet, number: usize) -> Result<Gate> {
    fleet.gate(&format!("e{number}"), Shipped::Wasm, &[number]).await
}

/// A task whose token may read what [`reading`] asks for.
pub(super) fn task() -> Value {
    json!({
        "grants": [{"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]}],
        "audience": "mesh", "expires_in": 900,
    })
}

/// A request with this token.
pub(super) fn reading(token: &str) -> RawRequest {
    RawRequest {
        method: b"GET".to_vec(),
        target: PATH.as_bytes().to_vec(),
        authority: Some(HOST.as_bytes().to_vec()),
        headers: vec![(b"authorization".to_vec(), format!("Bearer {token}").into_bytes())],
        payload: Payload::None,
    }
}

/// A counter or a gauge of a server.
pub(super) async fn metric(fleet: &Fleet, number: usize, name: &str) -> Result<f64> {
    let page = h1::get(fleet.server(number)?.listeners.admin, "/metrics").await?.body;
    let page = String::from_utf8_lossy(&page).into_owned();
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.ok_or_else(|| unexpected(format!("no metric `{name}`")))
}

/// The last revocation that a server knows.
pub(super) async fn revocation(fleet: &Fleet, number: usize) -> Result<u64> {
    let page = h1::get(fleet.server(number)?.listeners.admin, "/dataplanes").await?;
    let known = page.json().and_then(|page| page.get("revocation")?.as_u64());
    known.ok_or_else(|| unexpected("the server does not say what it knows"))
}

/// As many base64url characters as a random id has, by a number.
pub(super) fn name(number: usize) -> String {
    URL_SAFE_NO_PAD.encode((number as u128).to_be_bytes())
}
