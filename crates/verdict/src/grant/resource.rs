//! Resources and their patterns: `scheme://authority[/segment...]`.

use alloc::{boxed::Box, string::String};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest resource or pattern, in bytes.
pub const MAX_LENGTH: usize = 2048;
/// Most segments of a resource or pattern, its authority included.
const MAX_SEGMENTS: usize = 64;

/// A set of resources: each segment may hold one `*`, and a final `**` is one or more segments. The text itself,
/// because a data plane remembers thousands of them; its parts between slashes are `scheme:`, nothing, and the
/// segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourcePattern(Box<str>);

/// Why a text is not a resource or a resource pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ResourceError {
    /// Too long, in bytes or segments.
    #[error("a resource has at most 2048 bytes and 64 segments")]
    Length,
    /// No `scheme://`.
    #[error("a resource begins with a lower-case scheme and `://`, as in `s3://bucket`")]
    Scheme,
    /// An empty segment, or a segment `.` or `..`.
    #[error("a resource has no empty segment and no segment `.` or `..`")]
    Segment,
    /// A character that no request's resource can have.
    #[error("a resource has no control character, backslash or `%`")]
    Character,
    /// More than the grammar's wildcards.
    #[error("a segment holds at most one `*`, and `**` is the last segment alone")]
    Wildcard,
}

/// What follows `scheme://`, with the scheme checked (RFC 3986 section 3.1, lower case).
fn split_scheme(text: &str) -> Result<&str, ResourceError> {
    if text.len() > MAX_LENGTH {
        return Err(ResourceError::Length);
    }
    let (scheme, rest) = text.split_once("://").ok_or(ResourceError::Scheme)?;
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let goes_on = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b));
    if starts && goes_on { Ok(rest) } else { Err(ResourceError::Scheme) }
}

/// Whether `segment` can be a segment of some request's resource.
fn check_segment(segment: &str) -> Result<(), ResourceError> {
    if matches!(segment, "" | "." | "..") {
        return Err(ResourceError::Segment);
    }
    if segment.chars().any(|c| c.is_control() || c == '\\' || c == '%') {
        return Err(ResourceError::Character);
    }
    Ok(())
}

impl ResourcePattern {
    /// Whether `resource`, already checked segment by segment when it was made, is in this set.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        let mut parts = resource.as_bytes().split(is_slash);
        let mut deep = false;
        // On bytes: both are UTF-8, where nothing but a slash or a star has its byte.
        for pattern in self.0.as_bytes().split(is_slash) {
            // Nowhere else two stars are side by side, and nothing comes after them.
            if pattern == b"**" {
                deep = true;
                break;
            }
            match parts.next() {
                Some(part) if part_matches(pattern, part) => {}
                _ => return false,
            }
        }
        let mut more = parts.peekable();
        if deep {
            more.peek().is_some() && more.all(|segment| !segment.is_empty())
        } else {
            more.peek().is_none()
        }
    }

    /// Whether every resource of this set is one of `other`'s.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.parts().count(), other.parts().count());
        let lengths_fit = if other.is_deep() {
            // `**` stands for at least one segment: a literal segment of ours, or our own `**`.
            ours > theirs || (self.is_deep() && ours == theirs)
        } else {
            !self.is_deep() && ours == theirs
        };
        // The schemes are parts, too.
        lengths_fit && self.parts().zip(other.parts()).all(|(ours, theirs)| part_covered_by(ours, theirs))
    }

    /// The scheme, before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a final `**` follows the parts.
    fn is_deep(&self) -> bool {
        self.0.ends_with("**")
    }

    /// The parts between slashes without a final `**`.
    fn parts(&self) -> impl Iterator<Item = &str> {
        // Nowhere else two stars are side by side.
        self.0.split('/').filter(|part| *part != "**")
    }
}

fn is_slash(byte: &u8) -> bool {
    *byte == b'/'
}

/// Splits a segment pattern into what is before and after its `*`.
fn wild(pattern: &str) -> Option<(&str, &str)> {
    pattern.split_once('*')
}

fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    let star = pattern.iter().position(|byte| *byte == b'*');
    match star.and_then(|star| Some((pattern.get(..star)?, pattern.get(star.checked_add(1)?..)?))) {
        None => part == pattern,
        Some((before, after)) => {
            !part.is_empty()
                && part.len() >= before.len() + after.len()
                && part.starts_with(before)
                && part.ends_with(after)
        }
    }
}

fn part_covered_by(ours: &str, theirs: &str) -> bool {
    match (wild(ours), wild(theirs)) {
        (None, _) => part_matches(theirs.as_bytes(), ours.as_bytes()),
        (Some(_), None) => false,
        // Whatever our `*` stands for, the text still begins and ends as theirs asks, and is long enough because our
        // own fixed parts already are.
        (Some((before, after)), Some((their_before, their_after))) => {
            before.starts_with(their_before) && after.ends_with(their_after)
        }
    }
}

/// Whether `text` is a resource pattern.
fn check(text: &str) -> Result<(), ResourceError> {
    let rest = split_scheme(text)?;
    let fixed = match rest.strip_suffix("**") {
        Some("") => return Ok(()),
        Some(before) => before.strip_suffix('/').ok_or(ResourceError::Wildcard)?,
        None => rest,
    };
    let mut count = 0;
    for segment in fixed.split('/') {
        check_segment(segment)?;
        if wild(segment).is_some_and(|(_, after)| after.contains('*')) {
            return Err(ResourceError::Wildcard);
        }
        count += 1;
    }
    if count > MAX_SEGMENTS { Err(ResourceError::Length) } else { Ok(()) }
}

impl FromStr for ResourcePattern {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Self, ResourceError> {
        Self::try_from(String::from(text))
    }
}

impl TryFrom<String> for ResourcePattern {
    type Error = ResourceError;

    fn try_from(text: String) -> Result<Self, ResourceError> {
        check(&text)?;
        Ok(Self(text.into_boxed_str()))
    }
}

impl From<ResourcePattern> for String {
    fn from(pattern: ResourcePattern) -> Self {
        pattern.0.into()
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ResourcePattern {
        text.parse().unwrap()
    }

    #[test]
    fn wildcards_stay_in_their_segment() {
        let logs = pattern("s3://my-bucket/logs/2026-05*");
        assert!(logs.matches("s3://my-bucket/logs/2026-05-01.log"));
        assert!(!logs.matches("s3://my-bucket/logs/2026-05/01.log"));
        assert!(!logs.matches("s3://my-bucket/logs/2026-06-01.log"));
        assert!(!pattern("s3://a.b/x").matches("s3://a-b/x"));
    }

    #[test]
    fn deep_is_one_segment_or_more() {
        let logs = pattern("s3://my-bucket/logs/**");
        assert!(logs.matches("s3://my-bucket/logs/a"));
        assert!(logs.matches("s3://my-bucket/logs/a/b"));
        for outside in [
            "s3://my-bucket/logs",
            "s3://my-bucket/logs/",
            "s3://my-bucket/logs//a",
            "s3://my-bucket/logsx/a",
        ] {
            assert!(!logs.matches(outside), "{outside}");
        }
        assert!(pattern("s3://**").matches("s3://any/thing"));
        assert!(!pattern("s3://**").matches("rds://any/thing"));
    }

    #[test]
    fn covering() {
        for (narrow, wide) in [
            ("s3://b/logs/2026/a", "s3://b/logs/**"),
            ("s3://b/logs/2026/**", "s3://b/logs/**"),
            ("s3://b/logs/**", "s3://b/logs/**"),
            ("s3://b/logs/*", "s3://b/logs/**"),
            ("s3://b/2026-05*", "s3://b/2026-*"),
            ("s3://b/x", "s3://*/x"),
        ] {
            assert!(pattern(narrow).covered_by(&pattern(wide)), "{narrow} in {wide}");
        }
        for (wide, narrow) in [
            ("s3://b/**", "s3://b/logs/**"),
            ("s3://b/**", "s3://b/*"),
            ("s3://b/logs", "s3://b/logs/**"),
            ("s3://b/*", "s3://b/2026*"),
            ("s3://b/a*", "s3://b/a*b"),
            ("rds://b/x", "s3://b/x"),
        ] {
            assert!(!pattern(wide).covered_by(&pattern(narrow)), "{wide} in {narrow}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_refused() {
        for text in [
            "",
            "s3",
            "s3:/b",
            "s3://",
            "S3://b",
            "s3://b//x",
            "s3://b/",
            "s3://b/../x",
            "s3://b/.",
            "s3://b/%2e",
            "s3://b\\x",
            "s3://b/a*b*",
            "s3://b/***",
            "s3://b/a**",
            "s3://b/**/x",
            "s3://b/\n",
            "://b",
            "s3://**/x",
        ] {
            assert!(text.parse::<ResourcePattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn display_is_what_was_parsed() {
        for text in ["s3://b", "s3://b/**", "s3://**", "s3://b/a*b/c", "s3://*/x"] {
            assert_eq!(std::format!("{}", pattern(text)), text);
        }
    }
}
