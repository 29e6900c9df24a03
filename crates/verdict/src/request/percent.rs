//! Percent-decoding (RFC 3986 section 2.1), once and strictly.

use alloc::{borrow::Cow, string::String, vec::Vec};

/// Why a piece of a path or query does not decode to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// A byte that may not stand in a URI unencoded.
    Byte,
    /// `%` without two hexadecimal digits.
    Percent,
    /// The decoded bytes are not UTF-8.
    Utf8,
    /// The decoded text has a control character.
    Control,
}

/// Decodes each `%XX` once, and `+` to a space where `plus_is_space` (form encoding).
pub(crate) fn decode(raw: &[u8], plus_is_space: bool) -> Result<Cow<'_, str>, Undecodable> {
    // Envoy forwards other bytes as they are, and upstreams disagree about what they mean.
    if !raw.iter().all(u8::is_ascii_graphic) {
        return Err(Undecodable::Byte);
    }
    let encoded = |byte: &u8| *byte == b'%' || (plus_is_space && *byte == b'+');
    if !raw.iter().any(encoded) {
        return core::str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| Undecodable::Utf8);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = bytes.next().and_then(hex).zip(bytes.next().and_then(hex));
                let (high, low) = digits.ok_or(Undecodable::Percent)?;
                high << 4 | low
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    let text = String::from_utf8(decoded).map_err(|_| Undecodable::Utf8)?;
    if text.chars().any(char::is_control) { Err(Undecodable::Control) } else { Ok(Cow::Owned(text)) }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl Undecodable {
    /// For logs.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::Byte => "a byte that must be percent-encoded",
            Self::Percent => "`%` without two hexadecimal digits",
            Self::Utf8 => "percent-encoded bytes that are not UTF-8",
            Self::Control => "a percent-encoded control character",
        }
    }
}
