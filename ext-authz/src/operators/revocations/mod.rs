//! Revocations by operators.

mod create;
mod key;
mod known;
mod lift;
mod list;
mod view;

use axum::{Router, routing::post};

use crate::server::Api;

/// Routes of operators.
pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/v1/revocations", post(create::create).get(list::list))
        .route("/v1/revocations/lift", post(lift::lift))
}
