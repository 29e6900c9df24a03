//! Text patterns of constraints: `*` is any text without `/`.

use alloc::{string::String, vec, vec::Vec};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest pattern, in bytes; matching work is bounded by this times the value's length.
const MAX_LENGTH: usize = 256;
/// Longest value that a pattern is tried on, in bytes.
const MAX_VALUE: usize = 2048;

/// A pattern over a parameter's text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(String);

/// Why a text is not a [`Glob`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a glob has 1 to 256 bytes, and no dot segment, `//`, backslash, `%` or control character")]
pub struct GlobError;

impl Glob {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `value` fits. A value that a file system or a URL would read as something else
    /// (dot segments, `//`, backslash, `%`) fits no pattern.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        value.len() <= MAX_VALUE && is_plain(value) && fits(self.0.as_bytes(), value.as_bytes())
    }

    /// Whether every value of this pattern is one of `other`'s. `other`'s `*` swallows our text and our own
    /// `*` alike, since neither holds a `/`; so a fit of the patterns as texts is a proof.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        fits(other.0.as_bytes(), self.0.as_bytes())
    }
}

fn is_plain(value: &str) -> bool {
    !value.contains("//")
        && !value.chars().any(|c| c == '\\' || c == '%' || c.is_control())
        && !value.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Whether `text` fits `pattern`, one row of the usual table at a time. A `*` of `text` is an ordinary byte
/// that only a `*` of `pattern` stands for: a literal `*` cannot be written.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    // reach[i]: the pattern so far fits the first i bytes of the text.
    let mut reach: Vec<bool> = vec![false; text.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for &symbol in pattern {
        let mut next = Vec::with_capacity(reach.len());
        if symbol == b'*' {
            let mut open = false;
            let mut previous = None;
            for &here in &reach {
                // Going one byte further keeps the star open unless that byte is a `/`.
                open = here || (open && previous.is_none_or(|byte| byte != b'/'));
                next.push(open);
                previous = text.get(next.len() - 1).copied();
            }
        } else {
            next.push(false);
            next.extend(reach.iter().zip(text).map(|(&here, &byte)| here && byte == symbol));
        }
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
}

impl TryFrom<String> for Glob {
    type Error = GlobError;

    fn try_from(text: String) -> Result<Self, GlobError> {
        if text.is_empty() || text.len() > MAX_LENGTH || !is_plain(&text) {
            Err(GlobError)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::try_from(String::from(text)).unwrap()
    }

    #[test]
    fn star_stops_at_a_slash() {
        assert!(glob("logs/*").matches("logs/2026-05"));
        assert!(glob("logs/*").matches("logs/"));
        assert!(!glob("logs/*").matches("logs/2026/05"));
        assert!(!glob("logs/*").matches("xlogs/a"));
        assert!(glob("*/a*c/*").matches("x/abc/"));
        assert!(!glob("a.c").matches("abc"));
        assert!(glob("a**b").matches("ab"));
    }

    #[test]
    fn strange_values_never_match() {
        for value in ["logs/..", "logs/.", "../logs/a", "logs//a", "logs/a\\b", "logs/%2e", "logs/a\n"] {
            assert!(!glob("*").matches(value) && !glob("logs/*").matches(value), "{value:?}");
        }
    }

    #[test]
    fn covering() {
        assert!(glob("logs/2026*").covered_by(&glob("logs/*")));
        assert!(glob("logs/*").covered_by(&glob("logs/*")));
        assert!(!glob("logs/*").covered_by(&glob("logs/2026*")));
        assert!(!glob("logs/*/*").covered_by(&glob("logs/*")));
        assert!(!glob("*").covered_by(&glob("a")));
    }
}
