//! Errors of the task API: problem details (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{
    clients::AuthenticationError,
    issue::IssueError,
    web::{BodyError, error_answer},
};

/// A stable code, and what is wrong with this request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    pub(super) fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    pub(super) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", detail)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self { status: error.status(), ..Self::invalid_request(error.to_string()) }
    }
}

impl From<AuthenticationError> for Problem {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Refused => Self::unauthenticated(error.to_string()),
            AuthenticationError::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", error.to_string())
            }
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        let (status, code) = match &error {
            IssueError::OverCeiling { .. } | IssueError::Agent(_) => (StatusCode::FORBIDDEN, "not_allowed"),
            IssueError::Lifetime { .. } => (StatusCode::BAD_REQUEST, "lifetime_over_cap"),
            IssueError::Grants(_)
            | IssueError::Duplicate { .. }
            | IssueError::Limits { .. }
            | IssueError::TooLarge(_) => (StatusCode::BAD_REQUEST, "invalid_grants"),
            IssueError::AudienceMissing(_)
            | IssueError::AudienceUnknown(_)
            | IssueError::NoLifetime
            | IssueError::Name { .. }
            | IssueError::SpiffeId { .. }
            | IssueError::Binding(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            IssueError::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        Self::new(status, code, error.to_string())
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
        let Self { status, code, detail } = self;
        let title = status.canonical_reason().unwrap_or("error");
        let body =
            Body { kind: format!("urn:writ:problem:{code}"), title, status: status.as_u16(), code, detail };
        error_answer(status, "application/problem+json", &body)
    }
}
