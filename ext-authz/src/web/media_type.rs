//! `Content-Type`.

use http::{HeaderMap, header::CONTENT_TYPE};

/// Whether the body is said to be of the type `essence`, whatever its parameters.
pub(crate) fn is_media_type(headers: &HeaderMap, essence: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(essence)
}
