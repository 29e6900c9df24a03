//! Errors of the token endpoint (RFC 6749 section 5.2).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{
    clients::AuthenticationError,
    issue::IssueError,
    web::{BodyError, Challenge, error_answer},
};

/// The `error` member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    InvalidRequest,
    InvalidClient,
    UnsupportedGrantType,
    InvalidScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 9396 section 5.
    InvalidAuthorizationDetails,
    /// RFC 6749 section 4.1.2.1 has the names of these two.
    ServerError,
    TemporarilyUnavailable,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    status: StatusCode,
    code: Code,
    description: String,
}

impl OAuthError {
    pub(super) fn new(code: Code, description: impl Into<String>) -> Self {
        let status = match code {
            Code::InvalidClient => StatusCode::UNAUTHORIZED,
            Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code, description: description.into() }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, description)
    }

    pub(super) fn invalid_client(description: impl Into<String>) -> Self {
        Self::new(Code::InvalidClient, description)
    }
}

impl From<BodyError> for OAuthError {
    fn from(error: BodyError) -> Self {
        Self { status: error.status(), ..Self::invalid_request(error.to_string()) }
    }
}

impl From<AuthenticationError> for OAuthError {
    fn from(error: AuthenticationError) -> Self {
        let code = match error {
            AuthenticationError::Refused => Code::InvalidClient,
            AuthenticationError::Busy => Code::TemporarilyUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        let code = match &error {
            IssueError::Grants(_)
            | IssueError::OverCeiling { .. }
            | IssueError::Duplicate { .. }
            | IssueError::Limits { .. }
            | IssueError::TooLarge(_) => Code::InvalidAuthorizationDetails,
            IssueError::AudienceMissing(_) | IssueError::AudienceUnknown(_) => Code::InvalidTarget,
            IssueError::Lifetime { .. }
            | IssueError::NoLifetime
            | IssueError::Agent(_)
            | IssueError::Name { .. }
            | IssueError::SpiffeId { .. }
            | IssueError::Binding(_) => Code::InvalidRequest,
            IssueError::Internal => Code::ServerError,
        };
        // The parameter's name here; the JSON API calls it `grants`.
        Self::new(code, error.to_string().replacen("grants", "authorization_details", 1))
    }
}

#[derive(Serialize)]
struct Body {
    error: Code,
    error_description: String,
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let Self { status, code, description } = self;
        let body = Body { error: code, error_description: printable(&description) };
        error_answer(status, Challenge::Basic, "application/json", &body)
    }
}

/// RFC 6749 section 5.2 allows these characters only in `error_description`.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '"' => '\'',
            ' '..='~' if character != '\\' => character,
            _ => '?',
        })
        .collect()
}
