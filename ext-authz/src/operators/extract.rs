//! The proof, as handlers ask for it.

use std::sync::Arc;

use axum::{Json, extract::FromRequestParts, response::IntoResponse};
use http::request::Parts;
use serde::Serialize;

use super::{NotAnOperator, Operators, refusals};
use crate::web::Problem;

/// An operator that proved who it is. A handler that takes this is for operators alone.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// As the configuration calls it.
    pub(crate) name: Arc<str>,
}

impl Operator {
    /// The operator that sent this request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        // Without a way to prove it there is nobody who has.
        let proven = parts.extensions.get::<Operators>().ok_or(NotAnOperator);
        proven.and_then(|operators| operators.prove(&parts.headers)).map(|name| Self { name }).map_err(
            |error| {
                refusals::note();
                Problem::no_operator(error.to_string())
            },
        )
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(parts)
    }
}

#[derive(Serialize)]
struct Whoami {
    operator: String,
}

/// `GET /v1/operator`: who is asking; lets an operator try out a secret.
pub(super) async fn whoami(operator: Operator) -> impl IntoResponse {
    Json(Whoami { operator: operator.name.to_string() })
}
