//! `POST /v1/tasks/{id}/complete`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;

use super::{caller::Client, service::Completed, view::TaskView};
use crate::{
    clock,
    server::Api,
    web::{self, Problem},
};

#[derive(Serialize)]
struct Ended {
    task: TaskView,
    /// Whether it was this request that ended it.
    changed: bool,
    /// Tasks below that ended with it.
    cascaded: Vec<String>,
}

pub(super) async fn complete(
    State(api): State<Api>,
    Client(client): Client,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let Completed { task, changed, cascaded } = api.tasks.complete(&client, &id).await?;
    let ended = Ended { task: TaskView::new(task, clock::now().0), changed, cascaded };
    Ok(web::uncached(StatusCode::OK, ended))
}
