//! What tests of tasks share: a policy with two clients whose agents may delegate, and servers of one store.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{
    Result,
    api::{Client, Issued},
    envoy::Shipped,
    fleet::{Fleet, Gate, Plan},
    http::{RawRequest, Response},
    link::Link,
    surface::Check,
    wait,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use test_databases::Database;

use crate::world::{OBJECT, get};

/// A client that starts tasks, and another.
pub(crate) const STARTER: &str = "orchestrator";
pub(crate) const OTHER: &str = "bystander";
/// Agents that hold tokens.
pub(crate) const AGENT: &str = "spiffe://example.org/agent/lead";
pub(crate) const DELEGATE: &str = "spiffe://example.org/agent/reader";
pub(crate) const LAST: &str = "spiffe://example.org/agent/summarizer";
/// Not a test's subject: no verdict is stale while a busy machine pauses.
pub(crate) const PATIENT: &str = "60s";

/// A secret that tests know.
fn secret(client: &str) -> String {
    format!("{client}-of-256-random-bits")
}

/// The hexadecimal hash of its secret, as policies hold it.
pub(crate) fn hash_of(client: &str) -> String {
    Sha256::digest(secret(client)).iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// Two clients with the same ceilings, and one host that is stale after `max_staleness`.
fn policy(max_staleness: &str) -> String {
    let mut policy = "namespace: logs\nclients:\n".to_owned();
    for client in [STARTER, OTHER] {
        let hash = hash_of(client);
        let _ = write!(
            policy,
            r#"  {client}:
    authenticate: {{secret_sha256: "{hash}"}}
    agents: ["spiffe://example.org/agent/*"]
    may_request:
      - {{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m, max_depth: 3}}
    may_delegate:
      - {{from: ["spiffe://example.org/agent/*"], to: ["spiffe://example.org/agent/*"]}}
"#
        );
    }
    let _ = write!(
        policy,
        r#"routes:
  - hosts: [logs.internal]
    audience: mesh
    max_staleness: {max_staleness}
    rules:
      - {{method: GET, path: "/{{bucket}}/{{*key}}", action: "s3:GetObject", resource: "s3://{{bucket}}/{{key}}"}}
"#
    );
    policy
}

/// Servers of one store, each at one of `stores`.
pub(crate) async fn fleet(stores: &[String], max_staleness: &str) -> Result<Fleet> {
    let policy = policy(max_staleness);
    let config = "issuer: https://writ.example.org\nleeway: 0s\n";
    Fleet::start(&Plan { stores, policy: &policy, config }).await
}

/// The client that starts tasks, at the server `number`.
pub(crate) fn starter(fleet: &Fleet, number: usize) -> Client {
    client(fleet, number, STARTER)
}

/// A client at the server `number`.
pub(crate) fn client(fleet: &Fleet, number: usize, name: &str) -> Client {
    fleet.client(number, name, &secret(name)).expect("a server")
}

/// A task that may read May's logs, with a token of `AGENT`'s.
pub(crate) fn may() -> Value {
    json!({
        "grants": [{"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]}],
        "agent": AGENT, "audience": "mesh", "expires_in": 600,
    })
}

/// A child of `parent` with the same grants.
pub(crate) fn child(parent: &Issued) -> Value {
    let mut request = may();
    request["parent"] = parent.task.as_str().into();
    request
}

/// What a delegation to `agent` asks for.
pub(crate) fn to(agent: &str) -> [(&str, &str); 1] {
    [("agent", agent)]
}

/// For good, and without a token.
pub(crate) fn assert_refused(response: &Response) {
    let shown = String::from_utf8_lossy(&response.body);
    assert!((400..500).contains(&response.status), "{} {shown}", response.status);
    assert!(response.json().is_some_and(|body| body.get("access_token").is_none()), "{shown}");
}

/// A claim of a token, by JSON pointer.
pub(crate) fn claim(token: &str, pointer: &str) -> String {
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = serde_json::from_slice(&payload.expect("a token")).expect("JSON");
    let claim = claims.pointer(pointer).and_then(Value::as_str);
    claim.unwrap_or_else(|| panic!("no text `{pointer}` in {claims}")).to_owned()
}

/// The request that a task's token allows.
pub(crate) fn reading(token: &str) -> RawRequest {
    get("logs.internal", OBJECT, token.as_bytes())
}

/// Every place where a token of a task is judged: each worker of each Envoy, and Check of each server.
pub(crate) struct Surfaces {
    pub(crate) gates: Vec<Gate>,
    pub(crate) checks: Vec<Check>,
}

/// The verdict that lets a request pass, and the one that a revocation makes of it.
pub(crate) const ALLOWED: (u16, &str) = (200, "");
pub(crate) const REVOKED: (u16, &str) = (401, "revoked");

impl Surfaces {
    /// An Envoy with the filter behind each of the servers, which are `count`.
    pub(crate) async fn of(fleet: &Fleet, count: usize) -> Result<Self> {
        let (mut gates, mut checks) = (Vec::new(), Vec::new());
        for number in 0..count {
            gates.push(fleet.gate(&format!("e{number}"), Shipped::Wasm, &[number]).await?);
            checks.push(fleet.check(number).await?);
        }
        Ok(Self { gates, checks })
    }

    /// Waits until all say `wanted` of these tokens; until then each says one of `before`, and none goes back to it.
    pub(crate) async fn until(&mut self, tokens: &[&str], wanted: (u16, &str), before: &[(u16, &str)]) {
        for token in tokens {
            let request = reading(token);
            for gate in &mut self.gates {
                gate.until(&request, wanted, before).await.unwrap();
            }
            let (wanted, before) = (words(wanted), before.iter().copied().map(words).collect::<Vec<_>>());
            for check in &mut self.checks {
                wait::until(&format!("{wanted} at Check"), async || {
                    let said = check.ask(&request).await?.summary();
                    assert!(said == wanted || before.contains(&said), "Check: {said}");
                    Ok((said == wanted).then_some(()))
                })
                .await
                .unwrap();
            }
        }
    }

    /// All say `wanted` of these tokens, now.
    pub(crate) async fn agree(&mut self, tokens: &[&str], wanted: (u16, &str)) {
        self.until(tokens, wanted, &[]).await;
    }
}

impl Surfaces {
    /// Waits until all refuse a token that was revoked with its key or its epoch.
    pub(crate) async fn until_refused(&mut self, token: &str) {
        wait::until("a token to be refused everywhere", async || Ok(self.refuse(token).await.then_some(())))
            .await
            .unwrap();
    }

    /// Whether all refuse such a token now: they may know it as revoked, or not know its key any more.
    pub(crate) async fn refuse(&mut self, token: &str) -> bool {
        let request = reading(token);
        let refusals = [REVOKED, (401, "unknown_key")];
        let mut all = true;
        for gate in &mut self.gates {
            for (status, code) in gate.ask(&request).await.unwrap() {
                let said = (status, code.as_str());
                assert!(said == ALLOWED || refusals.contains(&said), "{said:?}");
                all &= said != ALLOWED;
            }
        }
        for check in &mut self.checks {
            let said = check.ask(&request).await.unwrap().summary();
            let is_refused = refusals.into_iter().any(|refusal| said == words(refusal));
            assert!(is_refused || said == words(ALLOWED), "{said}");
            all &= is_refused;
        }
        all
    }
}

/// A verdict as Check's is told.
fn words((status, code): (u16, &str)) -> String {
    if status == 200 { "forwarded".to_owned() } else { format!("{status} {code}") }
}

/// A way to a PostgreSQL server that can be cut; the store's URL by that way, and its directory.
pub(crate) fn link(database: &Database) -> (Link, String, TempDir) {
    const SOCKET: &str = ".s.PGSQL.5432";
    let Database::Postgres(server) = database else { panic!("no PostgreSQL") };
    let directory = TempDir::with_prefix("l").unwrap();
    let link = Link::start(&directory.path().join(SOCKET), &server.directory().join(SOCKET)).unwrap();
    let host = directory.path().display().to_string().replace('/', "%2F");
    (link, format!("postgres://postgres@{host}/postgres"), directory)
}
