//! `POST /v1/tasks`.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use verdict::{grant::Grant, token::claims::Confirmation};

use super::error::Problem;
use crate::{
    clients::ClientCredentials,
    clock,
    issue::{GrantList, IssuedToken, TokenRequest, describe},
    server::Api,
};

/// Longest note, bytes.
const MAX_NOTE: usize = 512;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    grants: GrantList,
    subject: Option<String>,
    agent: Option<String>,
    expires_in: Option<u64>,
    audience: Option<String>,
    /// For people who read the log.
    note: Option<String>,
    cnf: Option<Confirmation>,
}

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
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Err(rejection) => rejection.into_response(),
        Ok(body) => respond(&api, &headers, &body).await.unwrap_or_else(IntoResponse::into_response),
    }
}

async fn respond(api: &Api, headers: &HeaderMap, body: &[u8]) -> Result<Response, Problem> {
    let credentials = ClientCredentials::from_basic(headers)
        .and_then(|found| found.ok_or(crate::clients::CredentialsError::Missing))
        .map_err(|error| Problem::unauthenticated(error.to_string()))?;
    let state = api.current.load();
    let client = state.clients().authenticate(&credentials).await?;
    let NewTask { grants: GrantList(grants), subject, agent, expires_in, audience, note, cnf } =
        read_task(headers, body)?;
    let request = TokenRequest { grants, subject, agent, expires_in, audience, cnf };
    let issued = api.issuer.issue(&state, &client, request, clock::now())?;
    if let Some(note) = note {
        tracing::info!(task = issued.task, note, "the task's note");
    }
    Ok(success(client.name().to_owned(), issued))
}

fn read_task(headers: &HeaderMap, body: &[u8]) -> Result<NewTask, Problem> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", "content-type must be application/json"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let task: NewTask = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Problem::invalid_request(describe("body", &error)))?;
    deserializer.end().map_err(|error| Problem::invalid_request(format!("body: {error}")))?;
    if task.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE) {
        return Err(Problem::invalid_request(format!("note: over {MAX_NOTE} bytes")));
    }
    Ok(task)
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
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (StatusCode::CREATED, [no_store], Json(body)).into_response()
}
