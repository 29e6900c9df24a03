//! `POST /v1/tasks`.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use verdict::grant::Grant;

use super::new_task::NewTask;
use crate::{
    clients::{ClientCredentials, CredentialsError},
    clock,
    issue::{GrantList, IssuedToken, TokenRequest},
    server::Api,
    web::{self, Problem},
};

#[derive(Serialize)]
struct Created {
    task: Task,
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    authorization_details: Vec<Grant>,
}

#[derive(Serialize)]
struct Task {
    id: String,
    client: String,
    subject: String,
    agent: String,
    expires_at: u64,
}

pub(super) async fn create(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = web::read_whole(body).await?;
    let credentials = ClientCredentials::from_basic(&headers)
        .and_then(|found| found.ok_or(CredentialsError::Missing))
        .map_err(|error| Problem::unauthenticated(error.to_string()))?;
    let state = api.current.load();
    let client = state.clients().authenticate(&credentials).await?;
    let NewTask { grants: GrantList(grants), subject, agent, expires_in, audience, note, cnf } =
        NewTask::read(&headers, &body)?;
    let request = TokenRequest { grants, subject, agent, expires_in, audience, cnf };
    let issued = api.issuer.issue(&state, &client, request, clock::now())?;
    if let Some(note) = note {
        tracing::info!(task = issued.task, note, "the task's note");
    }
    Ok(success(client.name().to_owned(), issued))
}

fn success(client: String, issued: IssuedToken) -> Response {
    let IssuedToken { access_token, task, subject, agent, expires_in, expires_at, grants } = issued;
    let body = Created {
        task: Task { id: task, client, subject, agent, expires_at },
        access_token,
        token_type: "Bearer",
        expires_in,
        authorization_details: grants,
    };
    web::uncached(StatusCode::CREATED, body)
}
