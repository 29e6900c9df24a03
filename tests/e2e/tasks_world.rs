//! What tests of tasks share: a policy with two clients whose agents may delegate, and servers of one store.

use std::fmt::Write as _;

use harness::{
    Result,
    api::{Client, Issued},
    fleet::{Fleet, Gate, Plan},
    http::RawRequest,
    link::Link,
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

/// Two clients with the same ceilings, and one host that is stale after `max_staleness`.
fn policy(max_staleness: &str) -> String {
    let mut policy = "namespace: logs\nclients:\n".to_owned();
    for client in [STARTER, OTHER] {
        let hash = Sha256::digest(secret(client)).iter().fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
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

/// The request that a task's token allows.
pub(crate) fn reading(token: &str) -> RawRequest {
    get("logs.internal", OBJECT, token.as_bytes())
}

/// The verdict on a token at every worker of every gate.
pub(crate) async fn verdicts(gates: &mut [Gate], token: &str) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    for gate in gates {
        all.extend(gate.ask(&reading(token)).await.unwrap());
    }
    all
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
