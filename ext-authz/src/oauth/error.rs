//! Errors of the token endpoint (RFC 6749 section 5.2).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{clients::AuthenticationError, issue::IssueError};

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
    code: Code,
    description: String,
}

impl OAuthError {
    pub(super) fn new(code: Code, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, description)
    }

    pub(super) fn invalid_client(description: impl Into<String>) -> Self {
        Self::new(Code::InvalidClient, description)
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
            | IssueError::Binding(_) => Code::InvalidRequest,
            IssueError::Internal(cause) => {
                tracing::error!(cause, "a token could not be made");
                Code::ServerError
            }
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
        let Self { code, description } = self;
        let status = match code {
            Code::InvalidClient => StatusCode::UNAUTHORIZED,
            Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = Body { error: code, error_description: printable(&description) };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// The challenge for clients (RFC 7617).
pub(crate) const CHALLENGE: &str = r#"Basic realm="writ", charset="UTF-8""#;

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
