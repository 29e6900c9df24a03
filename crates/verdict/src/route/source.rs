//! Where in a request the value of a placeholder or parameter is, and how it is read from there.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use super::pattern::{Captured, PathPattern};
use crate::{
    denial::{DenialCode, Refusal},
    json::{MAX_POINTERS, Pointer, Scalar},
    request::{
        Body,
        body::Content,
        fields::{Fields, Single},
        pairs::Pairs,
    },
};

/// Where in a request a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Path(Captured),
    Query(String),
    Header(String),
    Form(String),
    /// Index among the rule's pointers into JSON.
    Body(usize),
}

/// A value where it stands in a request.
#[derive(Debug)]
pub(super) enum Value<'t> {
    /// Text, which the rule says how to read.
    Plain(Cow<'t, str>),
    /// A value that says itself of which type it is.
    Json(&'t Scalar<'t>),
}

/// A request whose target has been read.
#[derive(Debug)]
pub(crate) struct Target<'r> {
    pub(crate) segments: Vec<Cow<'r, str>>,
    pub(crate) query: Pairs<'r>,
    pub(crate) fields: &'r Fields<'r>,
    pub(crate) body: Body<'r>,
}

impl Source {
    /// From `path.name`, `query.name`, `header.name`, `form.name` or `body./pointer`, which joins `pointers`.
    pub(super) fn parse(
        text: &str,
        pattern: &PathPattern,
        pointers: &mut Vec<Pointer>,
    ) -> Result<Self, String> {
        match text.split_once('.') {
            Some(("path", name)) => pattern
                .find(name)
                .map(Self::Path)
                .ok_or_else(|| format!("`{name}` is no placeholder of the path")),
            Some(("query", name)) if !name.is_empty() => Ok(Self::Query(name.into())),
            Some(("header", name)) if is_header_name(name) => Ok(Self::Header(name.into())),
            Some(("form", name)) if !name.is_empty() => Ok(Self::Form(name.into())),
            Some(("body", pointer)) => add_pointer(pointer, pointers).map(Self::Body),
            _ => Err(format!(
                "`{text}` is none of `path.name`, `query.name`, `header.name` (lower case), `form.name` and `body./pointer`"
            )),
        }
    }

    /// The value; `None` where it is absent.
    pub(super) fn read<'t>(
        &self,
        target: &'t Target<'_>,
        content: &'t Content<'_>,
    ) -> Result<Option<Value<'t>>, Refusal> {
        let text = match self {
            Self::Path(Captured::Segment(index)) => {
                target.segments.get(*index).map(|own| Cow::Borrowed(&**own))
            }
            Self::Path(Captured::Rest(from)) => {
                let rest: Vec<&str> = target.segments.iter().skip(*from).map(|segment| &**segment).collect();
                Some(Cow::Owned(rest.join("/")))
            }
            Self::Query(name) => target.query.get(name).map(Cow::Borrowed),
            Self::Header(name) => read_header(target.fields.get(name))?.map(Cow::Borrowed),
            Self::Form(name) => match content {
                Content::Form(form) => form.get(name).map(Cow::Borrowed),
                Content::Unread | Content::Json(_) => None,
            },
            Self::Body(index) => {
                let found = match content {
                    Content::Json(found) => found.get(*index),
                    Content::Unread | Content::Form(_) => None,
                };
                return Ok(found.and_then(Option::as_ref).map(Value::Json));
            }
        };
        Ok(text.map(Value::Plain))
    }
}

fn add_pointer(text: &str, pointers: &mut Vec<Pointer>) -> Result<usize, String> {
    let pointer: Pointer = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
    if let Some(known) = pointers.iter().position(|known| *known == pointer) {
        return Ok(known);
    }
    if pointers.len() == MAX_POINTERS {
        return Err(format!("more than {MAX_POINTERS} JSON pointers in one rule"));
    }
    pointers.push(pointer);
    Ok(pointers.len().saturating_sub(1))
}

fn read_header(field: Single<'_>) -> Result<Option<&str>, Refusal> {
    match field {
        Single::Absent => Ok(None),
        Single::Several => Err(ambiguous("a header field that the rule reads is repeated")),
        Single::One(value) if value.iter().all(|b| b.is_ascii_graphic() && *b != b',') => {
            Ok(core::str::from_utf8(value).ok())
        }
        Single::One(_) => Err(ambiguous("a header field that the rule reads is a list or no plain text")),
    }
}

fn is_header_name(name: &str) -> bool {
    let token = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    // Ours are replaced, and these are read by the verdict itself.
    token
        && !name.starts_with("x-writ-")
        && !name.starts_with("x-envoy-")
        && !matches!(name, "authorization" | "cookie" | "host")
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}
