//! Messages to what the service of tasks takes, and back.

use proto::v1::tasks::{
    self as wire, ExchangeTokenRequest, IssueTokenRequest, ListTasksRequest, StartTaskRequest,
};
use store::TaskState;
use verdict::token::claims::Confirmation;

use super::refusal::Refusal;
use crate::{
    clock,
    issue::{GrantList, IssueError},
    tasks::service::{ExchangeToken, IssueToken, IssuedToken, ListTasks, StartTask, Started},
};

pub(super) fn start(request: StartTaskRequest) -> Result<StartTask, Refusal> {
    let StartTaskRequest { grants, parent, subject, agent, expires_in, audience, note, cnf } = request;
    let grants = GrantList::parse(&grants)?;
    Ok(StartTask { parent, grants, subject, agent, expires_in, audience, cnf: cnf.map(confirmation), note })
}

/// The task, and what is asked for.
pub(super) fn issue(request: IssueTokenRequest) -> Result<(String, IssueToken), Refusal> {
    let IssueTokenRequest { task, grants, agent, expires_in, audience, cnf } = request;
    let grants = grants.as_deref().map(GrantList::parse).transpose()?;
    Ok((task, IssueToken { grants, agent, expires_in, audience, cnf: cnf.map(confirmation) }))
}

pub(super) fn exchange(request: ExchangeTokenRequest) -> Result<ExchangeToken, Refusal> {
    let ExchangeTokenRequest { subject_token, grants, agent, expires_in, audience, cnf } = request;
    let grants = grants.as_deref().map(GrantList::parse).transpose()?;
    Ok(ExchangeToken { subject_token, grants, agent, expires_in, audience, cnf: cnf.map(confirmation) })
}

pub(super) fn list(request: ListTasksRequest) -> Result<ListTasks, Refusal> {
    let ListTasksRequest { state, parent, agent, since, after, limit } = request;
    let state = match state.map(wire::TaskState::try_from) {
        None => None,
        Some(Ok(wire::TaskState::Active)) => Some(TaskState::Active),
        Some(Ok(wire::TaskState::Completed)) => Some(TaskState::Completed),
        Some(Ok(wire::TaskState::Revoked)) => Some(TaskState::Revoked),
        Some(Ok(wire::TaskState::Expired)) => Some(TaskState::Expired),
        Some(Ok(wire::TaskState::Unspecified) | Err(_)) => {
            return Err(Refusal::invalid("state: is none of active, completed, revoked, expired"));
        }
    };
    Ok(ListTasks { state, parent, agent, since, after, limit })
}

pub(super) fn started(Started { task, token }: Started) -> wire::StartTaskResponse {
    wire::StartTaskResponse { task: Some(self::task(task)), token: Some(self::token(token)) }
}

/// As it is now.
pub(super) fn task(task: store::Task) -> wire::Task {
    let state = match task.state_at(clock::now().0) {
        TaskState::Active => wire::TaskState::Active,
        TaskState::Completed => wire::TaskState::Completed,
        TaskState::Revoked => wire::TaskState::Revoked,
        TaskState::Expired => wire::TaskState::Expired,
    };
    let store::Task {
        id,
        parent,
        path: _,
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
    wire::Task {
        id,
        parent,
        client,
        subject,
        agent,
        audience,
        grants,
        // What this program wrote can be read.
        cnf: cnf.and_then(|cnf| serde_json::from_str(&cnf).ok()).map(shown),
        max_depth,
        note,
        state: state.into(),
        created_at,
        expires_at,
        ended_at,
    }
}

pub(super) fn token(token: IssuedToken) -> wire::Token {
    let IssuedToken {
        access_token,
        jti,
        task,
        subject: _,
        agent,
        audiences: _,
        grants: _,
        cnf: _,
        expires_in,
        expires_at,
    } = token;
    wire::Token { access_token, jti, task, agent, expires_at, expires_in }
}

fn confirmation(wire::Confirmation { x5t_s256, spiffe }: wire::Confirmation) -> Confirmation {
    Confirmation { x5t_s256, spiffe, jkt: None }
}

fn shown(Confirmation { x5t_s256, spiffe, jkt: _ }: Confirmation) -> wire::Confirmation {
    wire::Confirmation { x5t_s256, spiffe }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        crate::tasks::TaskError::from(error).into()
    }
}
