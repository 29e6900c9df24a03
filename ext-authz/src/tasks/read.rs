//! `GET /v1/tasks` and `GET /v1/tasks/{id}`.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{StatusCode, Uri};
use serde::Serialize;

use super::{
    caller::Reader,
    service::{ListTasks, Page},
    view::TaskView,
};
use crate::{
    clock,
    server::Api,
    web::{self, Parameters, Problem},
};

#[derive(Serialize)]
struct Listed {
    tasks: Vec<TaskView>,
    /// What to ask for the next page `after`; `null` where this is the last.
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    task: TaskView,
}

pub(super) async fn show(
    State(api): State<Api>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let task = api.tasks.task(reader.scope(), &id).await?;
    Ok(web::uncached(StatusCode::OK, Shown { task: TaskView::new(task, clock::now().0) }))
}

pub(super) async fn list(State(api): State<Api>, reader: Reader, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri)?;
    let which = ListTasks {
        state: parameters.parsed("state")?,
        parent: parameters.take("parent"),
        agent: parameters.take("agent"),
        since: parameters.parsed("since")?,
        after: parameters.take("after"),
        limit: parameters.parsed("limit")?,
    };
    // A client sees its own tasks only; for it this parameter is unknown.
    let client = if reader.scope().is_none() { parameters.take("client") } else { None };
    parameters.finish()?;
    let scope = reader.scope().or(client.as_deref());
    let Page { tasks, next } = api.tasks.list(scope, which).await?;
    let now = clock::now().0;
    let tasks = tasks.into_iter().map(|task| TaskView::new(task, now)).collect();
    Ok(web::uncached(StatusCode::OK, Listed { tasks, next }))
}
