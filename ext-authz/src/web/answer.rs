//! Header fields that answers share.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// How whoever is refused could prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Clients (RFC 7617).
    Basic,
    /// Operators (RFC 6750).
    Bearer,
}

impl Challenge {
    const fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Basic => r#"Basic realm="writ", charset="UTF-8""#,
            Self::Bearer => r#"Bearer realm="writ operators""#,
        })
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An answer that holds a token and must not be cached (RFC 6749 section 5.1).
pub(crate) fn uncached<T: Serialize>(status: StatusCode, body: T) -> Response {
    (status, [(header::CACHE_CONTROL, NO_STORE)], Json(body)).into_response()
}

/// An error of any form, with the fields that its status asks for.
pub(crate) fn error_answer<T: Serialize>(
    status: StatusCode,
    challenge: Challenge,
    media_type: &'static str,
    body: &T,
) -> Response {
    // Texts and numbers can always be serialized; the status alone would still tell.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, challenge.value());
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}
