//! Where in a request the value of a placeholder or parameter is, and how it is read from there.

use alloc::{borrow::Cow, format, string::String, vec::Vec};

use super::pattern::{Captured, PathPattern};
use crate::{
    denial::{DenialCode, Refusal},
    request::{
        Body,
        fields::{Fields, Single},
        query::Query,
    },
};

/// Where in a request a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Path(Captured),
    Query(String),
    Header(String),
}

/// A request whose target has been read.
#[derive(Debug)]
pub(crate) struct Target<'r> {
    pub(crate) segments: Vec<Cow<'r, str>>,
    pub(crate) query: Query<'r>,
    pub(crate) fields: &'r Fields<'r>,
    pub(crate) body: Body,
}

impl Source {
    /// From `path.name`, `query.name` or `header.name`.
    pub(super) fn parse(text: &str, pattern: &PathPattern) -> Result<Self, String> {
        match text.split_once('.') {
            Some(("path", name)) => pattern
                .find(name)
                .map(Self::Path)
                .ok_or_else(|| format!("`{name}` is no placeholder of the path")),
            Some(("query", name)) if !name.is_empty() => Ok(Self::Query(name.into())),
            Some(("header", name)) if is_header_name(name) => Ok(Self::Header(name.into())),
            _ => Err(format!("`{text}` is none of `path.name`, `query.name` and `header.name` (lower case)")),
        }
    }

    /// The value's text; `None` where it is absent.
    pub(super) fn read<'t>(&self, target: &'t Target<'_>) -> Result<Option<Cow<'t, str>>, Refusal> {
        match self {
            Self::Path(Captured::Segment(index)) => {
                Ok(target.segments.get(*index).map(|own| Cow::Borrowed(&**own)))
            }
            Self::Path(Captured::Rest(from)) => {
                let rest: Vec<&str> = target.segments.iter().skip(*from).map(|segment| &**segment).collect();
                Ok(Some(Cow::Owned(rest.join("/"))))
            }
            Self::Query(name) => Ok(target.query.get(name).map(Cow::Borrowed)),
            Self::Header(name) => match target.fields.get(name) {
                Single::Absent => Ok(None),
                Single::Several => Err(ambiguous("a header field that the rule reads is repeated")),
                Single::One(value) if value.iter().all(|b| b.is_ascii_graphic() && *b != b',') => {
                    Ok(core::str::from_utf8(value).ok().map(Cow::Borrowed))
                }
                Single::One(_) => {
                    Err(ambiguous("a header field that the rule reads is a list or no plain text"))
                }
            },
        }
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
