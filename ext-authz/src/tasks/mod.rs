//! Tasks and their tokens: what can be done with them, and the JSON API for it.

mod bodies;
mod caller;
mod complete;
mod create;
mod error;
mod further;
mod read;
pub mod service;
mod view;

use axum::{
    Extension, Router,
    routing::{get, post},
};

use crate::{operators::Operators, server::Api};
pub(crate) use service::{Names, told};
pub use service::{TaskError, TaskReads, Tasks};

/// Routes of clients, of which operators may use those that change nothing.
pub fn router(operators: Operators) -> Router<Api> {
    Router::new()
        .route("/v1/tasks", post(create::create))
        .route("/v1/tasks/{id}/complete", post(complete::complete))
        .route("/v1/tasks/{id}/tokens", post(further::issue))
        .merge(reading(operators))
}

/// Those of them that change nothing.
pub fn reading(operators: Operators) -> Router<Api> {
    Router::new()
        .route("/v1/tasks", get(read::list))
        .route("/v1/tasks/{id}", get(read::show))
        .layer(Extension(operators))
}
