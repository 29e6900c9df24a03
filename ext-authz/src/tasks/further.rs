//! `POST /v1/tasks/{id}/tokens`.

use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use super::{bodies::NewToken, caller::Client, service::IssueToken, view::TokenView};
use crate::{
    server::Api,
    web::{self, Problem, read_json},
};

#[derive(Serialize)]
struct Issued {
    task_id: String,
    #[serde(flatten)]
    token: TokenView,
}

pub(super) async fn issue(
    State(api): State<Api>,
    Client(client): Client,
    Path(task_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = web::read_whole(body).await?;
    // Nobody has to say anything; but a body that was announced and got lost may have said less than all.
    let asked = if body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        IssueToken::default()
    } else {
        read_json::<NewToken>(&headers, &body)?.into()
    };
    let token = api.tasks.issue(&client, &task_id, asked).await?.into();
    Ok(web::uncached(StatusCode::CREATED, Issued { task_id, token }))
}
