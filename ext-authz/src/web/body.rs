//! Request bodies, read whole.

use std::{error::Error, iter::successors};

use axum::body::{Body, Bytes};
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError};
use thiserror::Error;

/// A body that did not come whole. Each endpoint says so in the form of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum BodyError {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body did not arrive whole")]
    Broken,
}

impl BodyError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads all of a body. How large it may be is the listener's matter.
pub(crate) async fn read_whole(body: Body) -> Result<Bytes, BodyError> {
    match body.collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_limit(&error) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

fn is_limit(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source()).any(|error| error.is::<LengthLimitError>())
}
