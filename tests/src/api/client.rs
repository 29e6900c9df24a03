//! What clients ask for: tasks, their tokens, and their end.

use serde_json::{Value, json};

use super::{Caller, refused};
use crate::{
    error::{Result, unexpected},
    http::Response,
};

/// The grant type of RFC 8693.
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of a task's token there.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A client with its proof.
#[derive(Debug, Clone)]
pub struct Client(pub Caller);

/// A task and the token that came with it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its id.
    pub task: String,
    /// The token's text.
    pub token: String,
}

impl Client {
    /// Starts a task.
    ///
    /// # Errors
    /// It is refused.
    pub async fn start(&self, request: &Value) -> Result<Issued> {
        let response = self.0.post("/v1/tasks", request).await?;
        let created = wanted("a new task", 201, &response)?;
        let task = created.pointer("/task/id").and_then(Value::as_str);
        let token = created.get("access_token").and_then(Value::as_str);
        match (task, token) {
            (Some(task), Some(token)) => Ok(Issued { task: task.to_owned(), token: token.to_owned() }),
            _ => Err(refused("a new task", &response)),
        }
    }

    /// Completes a task.
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn complete(&self, task: &str) -> Result<Value> {
        let response = self.0.post(&format!("/v1/tasks/{task}/complete"), &json!({})).await?;
        wanted("a completion", 200, &response)
    }

    /// What a task is now.
    ///
    /// # Errors
    /// There is none of that id.
    pub async fn task(&self, task: &str) -> Result<Value> {
        let response = self.0.get(&format!("/v1/tasks/{task}")).await?;
        let shown = wanted("a task", 200, &response)?;
        shown.get("task").cloned().ok_or_else(|| refused("a task", &response))
    }

    /// A delegation (RFC 8693): a token that is covered by `parent`, for whatever `parameters` say besides.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn exchange(&self, parent: &str, parameters: &[(&str, &str)]) -> Result<Response> {
        let fixed =
            [("grant_type", TOKEN_EXCHANGE), ("subject_token", parent), ("subject_token_type", ACCESS_TOKEN)];
        self.0.form("/oauth2/token", &[&fixed, parameters].concat()).await
    }

    /// As [`Client::exchange`]; the delegated token.
    ///
    /// # Errors
    /// It is refused.
    pub async fn delegate(&self, parent: &str, parameters: &[(&str, &str)]) -> Result<String> {
        access_token(&self.exchange(parent, parameters).await?)
    }

    /// Revokes one token of its own (RFC 7009).
    ///
    /// # Errors
    /// It is not acknowledged.
    pub async fn revoke(&self, token: &str) -> Result<()> {
        let response = self.0.form("/oauth2/revoke", &[("token", token)]).await?;
        if response.status == 200 { Ok(()) } else { Err(refused("a revocation", &response)) }
    }

    /// Whether the server takes a token (RFC 7662).
    ///
    /// # Errors
    /// It does not say.
    pub async fn is_active(&self, token: &str) -> Result<bool> {
        let response = self.0.form("/oauth2/introspect", &[("token", token)]).await?;
        let said = wanted("an introspection", 200, &response)?;
        said.get("active").and_then(Value::as_bool).ok_or_else(|| refused("an introspection", &response))
    }
}

/// The token in a token response.
///
/// # Errors
/// There is none.
fn access_token(response: &Response) -> Result<String> {
    let body = wanted("a token", 200, response)?;
    let token = body.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| refused("a token", response))
}

/// The JSON body of a response with the status `status`.
pub(super) fn wanted(what: &str, status: u16, response: &Response) -> Result<Value> {
    if response.status != status {
        return Err(refused(what, response));
    }
    response.json().ok_or_else(|| unexpected(format!("{what}: no JSON")))
}
