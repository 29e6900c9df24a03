//! Resources and their patterns: `scheme://authority[/segment...]`.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest resource or pattern, in bytes.
pub const MAX_LENGTH: usize = 2048;
/// Most segments of a resource or pattern, its authority included.
const MAX_SEGMENTS: usize = 64;

/// A set of resources: each segment may hold one `*`, and a final `**` is one or more segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourcePattern {
    scheme: String,
    segments: Vec<SegmentPattern>,
    /// Whether a final `**` follows the segments.
    deep: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum SegmentPattern {
    Literal(String),
    /// What is before and after the `*`.
    Wild(String, String),
}

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

/// Splits `scheme://rest` and checks the scheme (RFC 3986 section 3.1, lower case).
fn split_scheme(text: &str) -> Result<(&str, &str), ResourceError> {
    if text.len() > MAX_LENGTH {
        return Err(ResourceError::Length);
    }
    let (scheme, rest) = text.split_once("://").ok_or(ResourceError::Scheme)?;
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let goes_on = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+.-".contains(&b));
    if starts && goes_on { Ok((scheme, rest)) } else { Err(ResourceError::Scheme) }
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
        let Some(rest) = resource.strip_prefix(self.scheme.as_str()).and_then(|r| r.strip_prefix("://"))
        else {
            return false;
        };
        let mut segments = rest.split('/');
        for pattern in &self.segments {
            match segments.next() {
                Some(segment) if pattern.matches(segment) => {}
                _ => return false,
            }
        }
        let mut more = segments.peekable();
        if self.deep {
            more.peek().is_some() && more.all(|segment| !segment.is_empty())
        } else {
            more.peek().is_none()
        }
    }

    /// Whether every resource of this set is one of `other`'s.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        let lengths_fit = if other.deep {
            // `**` stands for at least one segment: a literal segment of ours, or our own `**`.
            self.segments.len() > other.segments.len()
                || (self.deep && self.segments.len() == other.segments.len())
        } else {
            !self.deep && self.segments.len() == other.segments.len()
        };
        self.scheme == other.scheme
            && lengths_fit
            && self.segments.iter().zip(&other.segments).all(|(ours, theirs)| ours.covered_by(theirs))
    }

    /// The scheme, before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
}

impl SegmentPattern {
    fn parse(text: &str) -> Result<Self, ResourceError> {
        check_segment(text)?;
        match text.split_once('*') {
            None => Ok(Self::Literal(text.into())),
            Some((_, after)) if after.contains('*') => Err(ResourceError::Wildcard),
            Some((before, after)) => Ok(Self::Wild(before.into(), after.into())),
        }
    }

    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(literal) => segment == literal,
            Self::Wild(before, after) => {
                !segment.is_empty()
                    && segment.len() >= before.len() + after.len()
                    && segment.starts_with(before.as_str())
                    && segment.ends_with(after.as_str())
            }
        }
    }

    fn covered_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(ours), theirs) => theirs.matches(ours),
            (Self::Wild(..), Self::Literal(_)) => false,
            // Whatever our `*` stands for, the text still begins and ends as theirs asks, and is long enough
            // because our own fixed parts already are.
            (Self::Wild(before, after), Self::Wild(their_before, their_after)) => {
                before.starts_with(their_before.as_str()) && after.ends_with(their_after.as_str())
            }
        }
    }
}

impl FromStr for ResourcePattern {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Self, ResourceError> {
        let (scheme, rest) = split_scheme(text)?;
        let (fixed, deep) = match rest.strip_suffix("**") {
            Some("") => ("", true),
            Some(before) => (before.strip_suffix('/').ok_or(ResourceError::Wildcard)?, true),
            None => (rest, false),
        };
        let segments = if fixed.is_empty() && rest == "**" {
            Vec::new()
        } else {
            fixed.split('/').map(SegmentPattern::parse).collect::<Result<Vec<_>, _>>()?
        };
        if segments.len() > MAX_SEGMENTS {
            return Err(ResourceError::Length);
        }
        Ok(Self { scheme: scheme.into(), segments, deep })
    }
}

impl TryFrom<String> for ResourcePattern {
    type Error = ResourceError;

    fn try_from(text: String) -> Result<Self, ResourceError> {
        text.parse()
    }
}

impl From<ResourcePattern> for String {
    fn from(pattern: ResourcePattern) -> Self {
        alloc::format!("{pattern}")
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://", self.scheme)?;
        for (index, segment) in self.segments.iter().enumerate() {
            let slash = if index == 0 { "" } else { "/" };
            match segment {
                SegmentPattern::Literal(literal) => write!(formatter, "{slash}{literal}")?,
                SegmentPattern::Wild(before, after) => write!(formatter, "{slash}{before}*{after}")?,
            }
        }
        match (self.deep, self.segments.is_empty()) {
            (true, true) => formatter.write_str("**"),
            (true, false) => formatter.write_str("/**"),
            (false, _) => Ok(()),
        }
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
