//! Bearer secrets of data planes and operators (RFC 6750).

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Whether there is a secret to be right or wrong.
pub(crate) fn is_sent(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

/// RFC 6750 section 2.1: exactly one field.
pub(crate) fn secret(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, secret) = value.as_bytes().split_at_checked("bearer ".len())?;
    if scheme.eq_ignore_ascii_case(b"bearer ") { Some(secret) } else { None }
}

pub(crate) fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// In a time that does not depend on where the two differ.
pub(crate) fn fits(expected: &[u8; 32], hash: &[u8; 32]) -> bool {
    expected.ct_eq(hash).into()
}
