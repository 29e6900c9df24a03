//! Why an operation is not done, as gRPC says it.

use proto::v1::tasks::Failure;
use tonic::{Code, Status, metadata::MetadataValue};

use crate::{
    clients::{AuthenticationError, CredentialsError},
    tasks::{TaskError, service::Kind},
};

/// The stable code of the HTTP API, in a refusal's metadata.
const CODE: &str = "writ-code";

/// A status, and the stable code that the HTTP API has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: Code,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: Code, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, "invalid_request", message)
    }

    pub(super) fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, "unimplemented", message)
    }
}

impl From<CredentialsError> for Refusal {
    fn from(error: CredentialsError) -> Self {
        Self::new(Code::Unauthenticated, "invalid_client", error.to_string())
    }
}

impl From<AuthenticationError> for Refusal {
    fn from(error: AuthenticationError) -> Self {
        let (status, code) = match error {
            AuthenticationError::Refused => (Code::Unauthenticated, "invalid_client"),
            AuthenticationError::Busy => (Code::Unavailable, "temporarily_unavailable"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<TaskError> for Refusal {
    fn from(error: TaskError) -> Self {
        let status = match error.kind() {
            Kind::Invalid => Code::InvalidArgument,
            Kind::Forbidden => Code::PermissionDenied,
            Kind::NotFound => Code::NotFound,
            Kind::Ended => Code::FailedPrecondition,
            Kind::Unavailable => Code::Unavailable,
            Kind::Changed => Code::Aborted,
            Kind::Internal => Code::Internal,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<prost::DecodeError> for Refusal {
    fn from(error: prost::DecodeError) -> Self {
        Self::invalid(format!("the message cannot be read: {error}"))
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        let mut status = Self::new(status, message);
        status.metadata_mut().insert(CODE, MetadataValue::from_static(code));
        status
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        Self { status: status.into(), code: code.to_owned(), message }
    }
}
