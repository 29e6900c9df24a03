//! Whether a request has a body, as far as its header fields tell.

use verdict::Body;

/// What the header fields say of the body. `None`: only the first piece of it, or its end, will tell.
#[must_use]
pub fn announced(fields: &[(String, Vec<u8>)], end_of_stream: bool) -> Option<Body<'static>> {
    if end_of_stream {
        return Some(Body::Absent);
    }
    // What is no length at all is the verdict's to refuse, at once.
    if values(fields, "content-length").any(|length| !is_zero(length)) {
        return Some(Body::Present);
    }
    // The bytes after a WebSocket handshake or in a tunnel are no request body, and none come before the answer.
    if is_websocket_handshake(fields) || is_connect(fields) { Some(Body::Absent) } else { None }
}

/// A length of nothing; `00` is one, too (RFC 9110 section 8.6).
fn is_zero(length: &[u8]) -> bool {
    !length.is_empty() && length.iter().all(|digit| *digit == b'0')
}

/// RFC 9110 section 9.3.6.
fn is_connect(fields: &[(String, Vec<u8>)]) -> bool {
    values(fields, ":method").any(|method| method == b"CONNECT")
}

/// RFC 6455 section 4.1. Envoy hands an extended CONNECT (RFC 8441) to its filters in this form, too.
fn is_websocket_handshake(fields: &[(String, Vec<u8>)]) -> bool {
    let has_token = |name, token: &[u8]| {
        values(fields, name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
    };
    has_token("connection", b"upgrade")
        && has_token("upgrade", b"websocket")
        && values(fields, "transfer-encoding").next().is_none()
}

fn values<'f>(fields: &'f [(String, Vec<u8>)], name: &'f str) -> impl Iterator<Item = &'f [u8]> {
    fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_slice())
}
