//! What went wrong, as the task API says it.

use http::StatusCode;

use super::service::{Kind, TaskError};
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

impl From<TaskError> for Problem {
    fn from(error: TaskError) -> Self {
        let status = match error.kind() {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Ended => StatusCode::CONFLICT,
            Kind::Unavailable | Kind::Changed => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        TaskError::from(error).into()
    }
}
