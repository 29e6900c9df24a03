//! What went wrong, as the task API says it.

use http::StatusCode;

use crate::{clients::AuthenticationError, issue::IssueError, web::Problem};

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
