//! `GET /v1/audit` and `GET /v1/audit/checkpoint`.

use std::error::Error as _;

use audit::{Checkpoint, Head};
use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use http::StatusCode;
use store::{Store, StoreError, TaskFilter};

use super::{filter::Parameters, scan::scan};
use crate::{
    clock,
    operators::Operator,
    server::Api,
    web::{Problem, uncached},
};

/// Tasks under one that are asked for with it.
const TASKS: u32 = 1000;

/// Routes for operators.
pub fn router() -> Router<Api> {
    Router::new().route("/v1/audit", get(events)).route("/v1/audit/checkpoint", get(checkpoint))
}

async fn events(
    _: Operator,
    State(api): State<Api>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) =
        parameters.map_err(|rejection| Problem::invalid_request(unreadable(&rejection)))?;
    parameters.check().map_err(Problem::invalid_request)?;
    let below = match parameters.task() {
        Some(task) => tasks_below(&api.scans, task).await.map_err(|error| away(&error))?,
        None => Vec::new(),
    };
    let filter = parameters.with_tasks(below);
    let page = scan(&api.scans, &filter).await.map_err(|error| away(&error))?;
    Ok(uncached(StatusCode::OK, page))
}

/// The heads of all chains at this moment, sealed. Chains of which nothing is left say nothing.
async fn checkpoint(_: Operator, State(api): State<Api>) -> Result<Response, Problem> {
    let writers = api.scans.audit_writers().await.map_err(|error| away(&error))?;
    let heads: Vec<Head> = writers
        .into_iter()
        .filter(|extent| extent.head.seq > extent.pruned.seq)
        .map(|extent| extent.head)
        .collect();
    Ok(uncached(StatusCode::OK, Checkpoint::seal(&api.audit.key, clock::now_millis().0, heads)))
}

/// The tasks under `task`, as far as the store still knows them.
async fn tasks_below(store: &Store, task: &str) -> Result<Vec<String>, StoreError> {
    let Some(known) = store.task(task).await? else { return Ok(Vec::new()) };
    let filter = TaskFilter { root: known.path.first().cloned(), limit: TASKS, ..TaskFilter::default() };
    let tree = store.tasks(&filter).await?;
    let below = tree.into_iter().filter(|found| found.path.iter().any(|above| above == task));
    Ok(below.map(|found| found.id).collect())
}

/// Which parameter is wrong, and what it could be.
fn unreadable(rejection: &QueryRejection) -> String {
    // What axum puts in front says nothing of the request.
    rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string)
}

fn away(error: &StoreError) -> Problem {
    tracing::warn!(%error, "the audit log cannot be read");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "the store cannot be read")
}
