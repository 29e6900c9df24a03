//! One request as its adapter received it, and how it is read.

pub(crate) mod body;
pub(crate) mod credential;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod pairs;
pub(crate) mod path;
pub(crate) mod percent;

use crate::Peer;

pub use body::BodyNeed;

/// A request, before its body is forwarded.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Every header field in order, values as raw bytes, names in lower case; pseudo-headers (RFC 9113 section
    /// 8.3) included. Repeated fields must not be merged: two are refused where one is needed.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// What comes after the header fields.
    pub body: Body<'a>,
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

/// The body of a request, as far as its adapter has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// The request ends with its header fields, or with an empty body.
    Absent,
    /// At least one byte was seen, or is promised by `content-length`. Where the verdict depends on more than that, it
    /// is [`NeedsBody`](crate::Verdict::NeedsBody).
    Present,
    /// All of it, to its end.
    Whole(&'a [u8]),
    /// It is longer than whoever read it was to read.
    TooLarge,
    /// It ended before its end, or never came to it.
    Cut,
    /// Whoever was to read it had no room for it, or cannot tell whether it is whole.
    Unread,
}

impl Body<'_> {
    /// Whether there is at least a byte of it.
    pub(crate) fn is_there(self) -> bool {
        !matches!(self, Self::Absent | Self::Whole([]))
    }
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
