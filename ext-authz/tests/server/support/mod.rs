//! Starting servers and talking to them.

pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod command;
pub(crate) mod credential;
pub(crate) mod endpoint;
pub(crate) mod feed;
pub(crate) mod following;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod pki;
pub(crate) mod policy;
pub(crate) mod raw;
pub(crate) mod replicas;
pub(crate) mod rpc;
pub(crate) mod setup;
pub(crate) mod writ;

pub(crate) use self::{http::Response, setup::Setup, writ::Writ};

/// A policy for tests: a client for each way to authenticate, and one host.
pub(crate) const POLICY: &str = r#"
namespace: logs
clients:
  generated:
    authenticate: {generated: true}
    agents: ["spiffe://example.org/agent/janitor-*"]
    may_request: &may
      - {actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m, max_depth: 2}
      - {actions: ["s3:ListBucket"], resources: ["s3://my-bucket"], constraints: {prefix: {glob: "logs/*"}}, max_ttl: 1m}
  hashed:
    # SHA-256 of `hashed-secret`.
    authenticate: {secret_sha256: "HASHED"}
    may_request: *may
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}", query: {prefix: optional}, action: "s3:ListBucket", resource: "s3://{bucket}", params: {prefix: query.prefix}}
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
      - {method: PUT, path: "/{bucket}/{*key}", action: "s3:PutObject", resource: "s3://{bucket}/{key}", body: opaque}
      - {method: GET, path: "/healthz", action: none}
"#;

/// A grant for May's logs.
pub(crate) const MAY: &str =
    r#"{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/2026-05*"]}"#;

/// Hexadecimal SHA-256.
pub(crate) fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};

    base16ct::lower::encode_string(&Sha256::digest(text))
}
