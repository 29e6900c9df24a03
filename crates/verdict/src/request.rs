//! One request as its adapter received it, and how it is read.

pub(crate) mod credential;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod path;
pub(crate) mod percent;
pub(crate) mod query;

use crate::Peer;

/// A request, before its body is forwarded.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Every header field in order, values as raw bytes, names in lower case; pseudo-headers (RFC 9113 section
    /// 8.3) included. Repeated fields must not be merged: two are refused where one is needed.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// Whether a body comes after the header fields.
    pub body: Body,
    /// Who is at the other end of the connection.
    pub peer: &'a Peer,
}

/// What a host gives up of the strict reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leniencies {
    /// One `/` at the end of a path is dropped.
    pub(crate) trailing_slash: bool,
    /// `;` is an ordinary character.
    pub(crate) semicolon: bool,
}

/// Whether a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The request ends with its header fields, or with an empty body.
    Absent,
    /// At least one byte was seen, or is promised by `content-length`.
    Present,
}

impl<'a> Request<'a> {
    /// Envoy's `x-request-id`, to be quoted in a response. `None` where it is absent, repeated or no plain id.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        let mut ids = self.headers.iter().filter(|(name, _)| *name == b"x-request-id");
        let (Some((_, id)), None) = (ids.next(), ids.next()) else {
            return None;
        };
        let plain =
            (1..=64).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if plain { core::str::from_utf8(id).ok() } else { None }
    }
}
