//! Clients that start tasks and delegate, and operators that end them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::Value;

use super::{
    Response, Setup, Writ,
    grpc::Answer,
    http::{basic, send, send_local},
    sha256,
};

/// All logs.
pub(crate) const LOGS: &str =
    r#"{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/**"]}"#;
/// Those of May.
pub(crate) const MAY_LOGS: &str =
    r#"{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/2026-05/**"]}"#;
/// One of these.
pub(crate) const OBJECT: &str = "/my-bucket/logs/2026-05/01.log";

const POLICY: &str = r#"
namespace: logs
clients:
  boss:
    authenticate: {secret_sha256: "BOSS"}
    agents: [lead, "worker-*"]
    may_request:
      - {actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m, max_depth: 3}
    may_delegate:
      - {from: [boss, lead, "worker-*"], to: ["worker-*"]}
  peer: # may have less, and hand on tasks of another client
    authenticate: {secret_sha256: "PEER"}
    agents: ["helper-*"]
    may_request:
      - {actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/2026-05/**"], max_ttl: 10m, max_depth: 2}
    may_delegate:
      - {from: ["worker-*"], to: ["helper-*"], clients: [boss]}
  stranger: # may have as much, and hand on its own tasks
    authenticate: {secret_sha256: "STRANGER"}
    agents: ["worker-*"]
    may_request:
      - {actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m, max_depth: 3}
    may_delegate:
      - {from: ["*"], to: ["*"]}
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
"#;

/// A policy with three clients.
pub(crate) fn policy() -> String {
    ["BOSS", "PEER", "STRANGER"].iter().fold(POLICY.to_owned(), |policy, name| {
        policy.replace(name, &sha256(&format!("{}-secret", name.to_lowercase())))
    })
}

/// A server's with this policy.
pub(crate) fn setup() -> Setup {
    Setup::bare().write("policies/logs.yaml", &policy())
}

/// A client of a server.
pub(crate) struct Client<'w> {
    writ: &'w Writ,
    authorization: String,
}

impl Writ {
    /// One of the policy's clients.
    pub(crate) fn client(&self, name: &str) -> Client<'_> {
        Client { writ: self, authorization: basic(name, &format!("{name}-secret")) }
    }

    /// Asks as the operator `local`.
    pub(crate) async fn operate(&self, method: Method, path: &str, body: &str) -> Response {
        send_local(&self.operator, method, path, &[("content-type", "application/json")], body).await
    }

    /// Revokes as an operator.
    pub(crate) async fn revoke(&self, level: &str, name: &str) -> Value {
        let body = format!(r#"{{"level":"{level}","name":"{name}","reason":"test"}}"#);
        let response = self.operate(Method::POST, "/v1/revocations", &body).await;
        assert!(response.status.is_success(), "{}", response.body);
        response.json()
    }

    /// What becomes of a request for [`OBJECT`] with this token.
    pub(crate) async fn get_object(&self, token: &str) -> Answer {
        self.check("GET", OBJECT, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Waits until this token gets this code.
    pub(crate) async fn denied(&self, token: &str, code: &str) {
        self.check_until("GET", OBJECT, &[("authorization", &format!("Bearer {token}"))], code).await;
    }
}

impl Client<'_> {
    pub(crate) async fn get(&self, path: &str) -> Response {
        let headers = [("authorization", self.authorization.as_str())];
        send(self.writ.http, Method::GET, path, &headers, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Response {
        let headers = [("authorization", self.authorization.as_str()), ("content-type", "application/json")];
        send(self.writ.http, Method::POST, path, &headers, body).await
    }

    /// Sends a form.
    pub(crate) async fn form(&self, path: &str, parameters: &[(&str, &str)]) -> Response {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let media_type = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("authorization", self.authorization.as_str()), media_type];
        send(self.writ.http, Method::POST, path, &headers, &form.finish()).await
    }

    /// Starts a task for all logs, with these members beside.
    pub(crate) async fn try_start(&self, more: &str) -> Response {
        self.post("/v1/tasks", &format!(r#"{{"grants":[{LOGS}]{more}}}"#)).await
    }

    /// The same, which must pass.
    pub(crate) async fn start(&self, more: &str) -> Begun {
        let response = self.try_start(more).await;
        assert_eq!(response.status, 201, "{}", response.body);
        let body = response.json();
        Begun { id: text(&body["task"]["id"]), token: text(&body["access_token"]) }
    }

    pub(crate) async fn complete(&self, id: &str) -> Response {
        self.post(&format!("/v1/tasks/{id}/complete"), "").await
    }

    pub(crate) async fn further(&self, id: &str, body: &str) -> Response {
        self.post(&format!("/v1/tasks/{id}/tokens"), body).await
    }

    /// Exchanges a token with these parameters beside.
    pub(crate) async fn exchange(&self, token: &str, more: &[(&str, &str)]) -> Response {
        let exchange = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
        self.form("/oauth2/token", &[&exchange, more].concat()).await
    }

    /// The same, which must pass.
    pub(crate) async fn delegate(&self, token: &str, agent: &str) -> String {
        let response = self.exchange(token, &[("agent", agent)]).await;
        assert_eq!(response.status, 200, "{}", response.body);
        text(&response.json()["access_token"])
    }
}

/// A task, and its first token.
pub(crate) struct Begun {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The id of a token.
pub(crate) fn jti(token: &str) -> String {
    text(&claims(token)["jti"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// What an answer says went wrong, in whichever form: status and code.
pub(crate) fn fault(response: &Response) -> (u16, String) {
    let body = response.json();
    let code = if body["code"].is_null() { &body["error"] } else { &body["code"] };
    (response.status.as_u16(), code.as_str().unwrap_or_default().to_owned())
}
