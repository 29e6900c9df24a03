//! Names with at most one `*`: at the end, or for hosts in front.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use thiserror::Error;

/// Longest pattern, bytes.
const MAX_LENGTH: usize = 512;

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// Empty or over 512 bytes.
    #[error("a pattern has 1 to 512 characters")]
    Length,
    /// A space, a control character or one outside ASCII: names go into header fields as they are.
    #[error("a pattern has only visible ASCII characters")]
    Character,
    /// A `*` before the end.
    #[error("a pattern has at most one `*`, at its end")]
    Wildcard,
    /// A host pattern's `*` is not its whole first label.
    #[error("a host pattern is a lower-case name, or `*.` and the end of names")]
    Host,
}

fn check_characters(text: &str) -> Result<(), PatternError> {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return Err(PatternError::Length);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(PatternError::Character) }
}

/// A name, or the beginning of names and one final `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NamePattern {
    stem: String,
    open: bool,
}

/// The agents (`act.sub`) a client may name, such as `spiffe://example.org/agent/janitor-*`.
pub type AgentPattern = NamePattern;

impl NamePattern {
    /// Whether `name` is one of this pattern's.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.open { name.starts_with(&self.stem) } else { name == self.stem }
    }

    /// Whether every name that begins with `stem` is one of this pattern's.
    pub(crate) fn covers_prefix(&self, stem: &str) -> bool {
        self.open && stem.starts_with(&self.stem)
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        check_characters(text)?;
        let (stem, open) = match text.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        if stem.contains('*') {
            Err(PatternError::Wildcard)
        } else {
            Ok(Self { stem: stem.to_owned(), open })
        }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.stem)?;
        if self.open { formatter.write_str("*") } else { Ok(()) }
    }
}

/// A host name, or `*.` and the end of host names: `*.example.org` is every name below `example.org`, at any
/// depth, as Envoy's wildcard domains are, and not `example.org` itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HostPattern {
    /// The whole name, or the end of names with its leading dot.
    tail: String,
    open: bool,
}

impl HostPattern {
    /// Whether `host`, lower case and without port or trailing dot, is one of this pattern's.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        if self.open { host.len() > self.tail.len() && host.ends_with(&self.tail) } else { host == self.tail }
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        check_characters(text)?;
        let (tail, open) = match text.strip_prefix('*') {
            Some(tail) => (tail, true),
            None => (text, false),
        };
        let labels = if open { tail.strip_prefix('.').unwrap_or_default() } else { tail };
        let legal = |byte: u8| !byte.is_ascii_uppercase() && byte != b'*' && byte != b'/';
        if labels.split('.').any(str::is_empty) || !labels.bytes().all(legal) {
            return Err(PatternError::Host);
        }
        Ok(Self { tail: tail.to_owned(), open })
    }
}

impl TryFrom<String> for HostPattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_pattern_is_open_only_at_its_end() {
        let janitors: NamePattern = "spiffe://example.org/agent/janitor-*".parse().unwrap();
        assert!(janitors.matches("spiffe://example.org/agent/janitor-7"));
        assert!(!janitors.matches("spiffe://example.org/agent/cleaner-7"));
        let one: NamePattern = "agent.one".parse().unwrap();
        assert!(one.matches("agent.one") && !one.matches("agentXone") && !one.matches("agent.one2"));
        for text in ["", "a*b", "**", "*a", "a b", "a\n", "ä"] {
            assert!(text.parse::<NamePattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_host_pattern_is_open_only_below_a_dot() {
        let below: HostPattern = "*.example.org".parse().unwrap();
        assert!(below.matches("a.example.org") && below.matches("a.b.example.org"));
        assert!(!below.matches("example.org") && !below.matches("badexample.org"));
        assert!(!below.matches(".example.org"));
        for text in ["", "*", "*.", "a.*", "*example.org", "*.*.org", "A.org", "a..org", "a.org.", "a/b"] {
            assert!(text.parse::<HostPattern>().is_err(), "{text:?}");
        }
    }
}
