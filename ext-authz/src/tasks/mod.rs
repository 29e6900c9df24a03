//! The task API: the same issuing as the token endpoint, in JSON.

mod create;
mod error;
mod new_task;

use axum::{Router, routing::post};

use crate::server::Api;

/// Routes of this side.
pub fn router() -> Router<Api> {
    Router::new().route("/v1/tasks", post(create::create))
}
