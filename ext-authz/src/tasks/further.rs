//! `POST /v1/tasks/{id}/tokens`.

use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::{bodies::NewToken, caller::Client, view::TokenView};
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
    let body: NewToken = read_json(&headers, &web::read_whole(body).await?)?;
    let token = api.tasks.issue(&client, &task_id, body.into()).await?.into();
    Ok(web::uncached(StatusCode::CREATED, Issued { task_id, token }))
}
