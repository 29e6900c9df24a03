//! `POST /v1/tasks`.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::{
    bodies::NewTask,
    caller::Client,
    service::Started,
    view::{TaskView, TokenView},
};
use crate::{
    clock,
    server::Api,
    web::{self, Problem, read_json},
};

#[derive(Serialize)]
struct Created {
    task: TaskView,
    #[serde(flatten)]
    token: TokenView,
}

pub(super) async fn create(
    State(api): State<Api>,
    Client(client): Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body: NewTask = read_json(&headers, &web::read_whole(body).await?)?;
    let Started { task, token } = api.tasks.start(&client, body.into()).await?;
    let created = Created { task: TaskView::new(task, clock::now().0), token: token.into() };
    Ok(web::uncached(StatusCode::CREATED, created))
}
