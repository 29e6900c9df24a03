//! Tasks and tokens as JSON. The members are stable; what is not there is `null`.

use serde::Serialize;
use serde_json::value::RawValue;
use store::Task;
use verdict::grant::Grant;

use super::service::IssuedToken;

#[derive(Serialize)]
pub(super) struct TaskView {
    id: String,
    parent: Option<String>,
    root: String,
    client: String,
    subject: String,
    agent: String,
    audience: String,
    grants: Option<Box<RawValue>>,
    cnf: Option<Box<RawValue>>,
    max_depth: u32,
    note: Option<String>,
    state: &'static str,
    created_at: u64,
    expires_at: u64,
    ended_at: Option<u64>,
}

impl TaskView {
    /// A task as it is at `now`, Unix seconds.
    pub(super) fn new(task: Task, now: u64) -> Self {
        let state = task.state_at(now).name();
        let Task {
            id,
            parent,
            path,
            client,
            subject,
            agent,
            audience,
            grants,
            cnf,
            max_depth,
            note,
            state: _,
            created_at,
            expires_at,
            ended_at,
        } = task;
        Self {
            root: path.into_iter().next().unwrap_or_else(|| id.clone()),
            id,
            parent,
            client,
            subject,
            agent,
            audience,
            // What this program wrote is JSON.
            grants: RawValue::from_string(grants).ok(),
            cnf: cnf.and_then(|cnf| RawValue::from_string(cnf).ok()),
            max_depth,
            note,
            state,
            created_at,
            expires_at,
            ended_at,
        }
    }
}

#[derive(Serialize)]
pub(super) struct TokenView {
    access_token: String,
    token_type: &'static str,
    jti: String,
    agent: String,
    expires_in: u64,
    expires_at: u64,
    authorization_details: Vec<Grant>,
}

impl From<IssuedToken> for TokenView {
    fn from(token: IssuedToken) -> Self {
        let IssuedToken {
            access_token,
            jti,
            task: _,
            subject: _,
            agent,
            audiences: _,
            grants: authorization_details,
            cnf: _,
            expires_in,
            expires_at,
        } = token;
        Self { access_token, token_type: "Bearer", jti, agent, expires_in, expires_at, authorization_details }
    }
}
