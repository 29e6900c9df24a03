//! Errors of the token endpoint (RFC 6749 section 5.2).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{
    clients::AuthenticationError,
    issue::IssueError,
    tasks::TaskError,
    web::{BodyError, Challenge, error_answer},
};

/// The `error` member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    InvalidRequest,
    InvalidClient,
    /// Of a task that has ended.
    InvalidGrant,
    /// What the policy does not let this client do.
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 9396 section 5.
    InvalidAuthorizationDetails,
    /// RFC 6749 section 4.1.2.1 has the names of these three.
    AccessDenied,
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
            Code::AccessDenied => StatusCode::FORBIDDEN,
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
        let code = code_of(&error);
        // The parameter's name here; the JSON API calls it `grants`.
        Self::new(code, error.to_string().replacen("grants", "authorization_details", 1))
    }
}

fn code_of(error: &IssueError) -> Code {
    match error {
        IssueError::Grants(_)
        | IssueError::OverCeiling { .. }
        | IssueError::Duplicate { .. }
        | IssueError::TooLarge(_) => Code::InvalidAuthorizationDetails,
        IssueError::AudienceMissing(_) | IssueError::AudienceUnknown(_) => Code::InvalidTarget,
        IssueError::Lifetime { .. }
        | IssueError::NoLifetime
        | IssueError::Agent(_)
        | IssueError::Name { .. }
        | IssueError::SpiffeId { .. }
        | IssueError::Binding(_) => Code::InvalidRequest,
        IssueError::Internal => Code::ServerError,
    }
}

impl OAuthError {
    /// Of an exchange: whatever the subject token rests on makes it unacceptable (RFC 8693 section 2.2.2), which includes
    /// what was revoked and what has ended.
    pub(super) fn of_exchange(error: TaskError) -> Self {
        let is_of_token =
            matches!(error, TaskError::Revoked(_) | TaskError::TaskEnded(_) | TaskError::UnknownTask);
        let translated = Self::from(error);
        if is_of_token { Self::invalid_request(translated.description) } else { translated }
    }
}

impl From<TaskError> for OAuthError {
    fn from(error: TaskError) -> Self {
        let code = match &error {
            TaskError::Issue(error) => code_of(error),
            TaskError::Wider { .. } => Code::InvalidAuthorizationDetails,
            TaskError::AudienceWider(_) => Code::InvalidTarget,
            TaskError::UnknownTask
            | TaskError::NoTask
            | TaskError::UnknownParent
            | TaskError::TaskEnded(_)
            | TaskError::ParentEnded(_) => Code::InvalidGrant,
            TaskError::MayNotDelegate { .. } => Code::UnauthorizedClient,
            // RFC 8693 section 2.2.2: of a subject token that is invalid, or that the policy does not accept.
            TaskError::SubjectToken(_)
            | TaskError::BoundToAnother { .. }
            | TaskError::TooDeep { .. }
            | TaskError::TasksTooDeep
            | TaskError::OutlivesParent
            | TaskError::Invalid(_) => Code::InvalidRequest,
            TaskError::Revoked(_) => Code::AccessDenied,
            TaskError::Changed | TaskError::Unavailable | TaskError::NoRoom => Code::TemporarilyUnavailable,
            TaskError::Internal => Code::ServerError,
        };
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
