//! Operators: who revokes, reads the audit log and withdraws keys. Neither a client's secret, nor a data plane's, nor a task
//! token opens anything here.

mod extract;
mod identity;
mod refusals;
mod revocations;

use axum::{Extension, Router, routing::get};

use crate::{audit, keys, server::Api};
pub(crate) use extract::Operator;
pub use identity::{LOCAL, NotAnOperator, Operators};

/// Routes of operators, for callers who prove to be one of `operators`. Served by the HTTP listener beside those of clients,
/// and by the operators' socket alone.
pub fn router(operators: Operators) -> Router<Api> {
    Router::new()
        .route("/v1/operator", get(extract::whoami))
        .merge(audit::router())
        .merge(revocations::router())
        .merge(keys::router())
        .layer(Extension(operators))
}
