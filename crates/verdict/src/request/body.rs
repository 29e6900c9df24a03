//! What a body says, where a rule reads it.

use alloc::vec::Vec;

use super::{
    Body, Leniencies,
    fields::{Fields, Single},
    pairs::Pairs,
};
use crate::{
    denial::{DenialCode, Refusal},
    json::{self, Fault, Pointer, Scalar},
};

/// A body that was read as its rule says.
#[derive(Debug)]
pub(crate) enum Content<'r> {
    /// Nothing of it is read.
    Unread,
    /// `application/x-www-form-urlencoded`.
    Form(Pairs<'r>),
    /// What each of the rule's pointers found.
    Json(Vec<Option<Scalar<'r>>>),
}

/// The kinds of body that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Form,
    Json,
}

/// What an adapter must read before there is a verdict: the whole body, as long as it is no longer than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyNeed {
    /// Bytes.
    pub most: usize,
}

/// What header fields alone tell of a body that is to be read.
///
/// # Errors
/// `body_too_large` for a `content-length` over `most`; `body_invalid` for another content type, and for every coding:
/// what is unpacked here and there may differ, and grows.
pub(crate) fn check_fields(fields: &Fields<'_>, kind: Kind, most: usize) -> Result<(), Refusal> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if content_length(fields).is_some_and(|length| length > most) {
        return Err(too_large());
    }
    if fields.get("content-encoding") != Single::Absent {
        return Err(invalid("a body with a content coding"));
    }
    match fields.get("content-type") {
        Single::One(value) if is_type(value, kind) => Ok(()),
        Single::One(_) => Err(invalid("the body's content type is not the one that the rule reads")),
        Single::Absent => Err(invalid("a body without a content type")),
        Single::Several => Err(invalid("several `content-type` fields")),
    }
}

/// Reads a form.
///
/// # Errors
/// Those of [`whole`], and `ambiguous_request` for whatever two parsers may read differently.
pub(crate) fn read_form(body: Body<'_>, most: usize, leniencies: Leniencies) -> Result<Pairs<'_>, Refusal> {
    // Without a body a form has no names.
    Pairs::read(whole(body, most)?, leniencies)
}

/// Reads JSON and finds what `pointers` point at.
///
/// # Errors
/// Those of [`whole`]; `ambiguous_request` for names that differ by case only, `body_invalid` for what is no JSON.
pub(crate) fn read_json<'r>(
    body: Body<'r>,
    most: usize,
    pointers: &[Pointer],
) -> Result<Vec<Option<Scalar<'r>>>, Refusal> {
    let bytes = whole(body, most)?.ok_or(invalid("no body where the rule reads one"))?;
    json::scan(bytes, pointers).map_err(|fault| match fault {
        Fault::Case => Refusal::new(DenialCode::AmbiguousRequest, fault.detail()),
        _ => invalid(fault.detail()),
    })
}

/// The body's bytes, if there is one.
fn whole(body: Body<'_>, most: usize) -> Result<Option<&[u8]>, Refusal> {
    match body {
        Body::Absent => Ok(None),
        Body::Whole(bytes) if bytes.len() <= most => Ok(Some(bytes)),
        Body::Whole(_) | Body::TooLarge => Err(too_large()),
        Body::Cut => Err(invalid("the body did not come to its end")),
        Body::Unread | Body::Present => Err(Refusal::new(
            DenialCode::ServerUnavailable,
            "nobody could read the body, and the rule needs it",
        )),
    }
}

/// The length that the fields promise, where they were checked to be a number.
fn content_length(fields: &Fields<'_>) -> Option<u64> {
    let Single::One(digits) = fields.content_length else { return None };
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a `content-type` (RFC 9110 section 8.3) is the one of `kind`, in UTF-8.
fn is_type(value: &[u8], kind: Kind) -> bool {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default();
    let is_own = match kind {
        Kind::Form => essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded"),
        Kind::Json => is_json(essence),
    };
    let is_utf8 = |parameter: &[u8]| {
        [&b"charset=utf-8"[..], b"charset=\"utf-8\""].iter().any(|own| parameter.eq_ignore_ascii_case(own))
    };
    // At most one parameter: what a second one changes is anybody's guess.
    is_own && parts.next().is_none_or(is_utf8) && parts.next().is_none()
}

/// `application/json`, or a type whose structured syntax is JSON (RFC 6839 section 3.1).
fn is_json(essence: &[u8]) -> bool {
    let lower = essence.to_ascii_lowercase();
    let Some(subtype) = lower.strip_prefix(b"application/") else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(byte);
    let has_suffix = subtype.len() > 5 && subtype.ends_with(b"+json") && subtype.iter().all(is_name);
    // Messages of gRPC have lengths between them, whatever they are written in.
    subtype == b"json" || (has_suffix && !subtype.starts_with(b"grpc"))
}

fn too_large() -> Refusal {
    Refusal::new(DenialCode::BodyTooLarge, "the body is longer than the rule reads")
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::BodyInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_told_by_its_essence_and_charset() {
        for (value, json, form) in [
            ("application/json", true, false),
            ("Application/JSON; Charset=UTF-8", true, false),
            ("application/json;charset=\"utf-8\"", true, false),
            ("application/merge-patch+json", true, false),
            ("application/x-www-form-urlencoded", false, true),
            ("application/x-www-form-urlencoded ; charset=utf-8", false, true),
            ("application/+json", false, false),
            ("application/grpc+json", false, false),
            ("application/grpc-web+json", false, false),
            ("application/json; charset=utf-16", false, false),
            ("application/json; charset=utf-8; charset=utf-7", false, false),
            ("application/json; version=2", false, false),
            ("application/json;", false, false),
            ("application/json, text/plain", false, false),
            ("application/x,y+json", false, false),
            ("application/json+xml", false, false),
            ("text/json", false, false),
            ("json", false, false),
            ("", false, false),
        ] {
            let value = value.as_bytes();
            assert_eq!((is_type(value, Kind::Json), is_type(value, Kind::Form)), (json, form), "{value:?}");
        }
    }
}
