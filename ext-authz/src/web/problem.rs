//! Errors of the JSON APIs: problem details (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::{BodyError, Challenge, error_answer};

/// A stable code, and what is wrong with this request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    challenge: Challenge,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), challenge: Challenge::Basic }
    }

    pub(crate) fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    /// A client that is none.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", detail)
    }

    /// An operator that is none.
    pub(crate) fn no_operator(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "not_an_operator", detail);
        Self { challenge: Challenge::Bearer, ..problem }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self { status: error.status(), ..Self::invalid_request(error.to_string()) }
    }
}

#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, challenge } = self;
        let title = status.canonical_reason().unwrap_or("error");
        let body =
            Body { kind: format!("urn:writ:problem:{code}"), title, status: status.as_u16(), code, detail };
        error_answer(status, challenge, "application/problem+json", &body)
    }
}
