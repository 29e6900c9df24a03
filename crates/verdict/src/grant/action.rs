//! Actions and their patterns.

use alloc::{boxed::Box, string::String};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest action, in bytes.
pub const MAX_LENGTH: usize = 128;

/// `namespace:Name`, or such a name's beginning and one final `*`: the text itself, because a data plane remembers
/// thousands of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActionPattern(Box<str>);

/// Why a text is not an action or an action pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ActionError {
    /// Empty or too long.
    #[error("an action has 1 to 128 characters")]
    Length,
    /// Outside `[A-Za-z0-9_.:-]`, or a `*` before the end.
    #[error("an action has only letters, digits and `_.:-`, and a pattern one `*` at its end")]
    Character,
    /// No `namespace:` before the name or the `*`.
    #[error("an action begins with its namespace, as in `s3:GetObject`")]
    Namespace,
}

/// Whether `text` is one action, without wildcard.
///
/// # Errors
/// The first rule of the grammar that `text` breaks.
pub fn check_action(text: &str) -> Result<(), ActionError> {
    check_stem(text)?;
    if text.ends_with(':') { Err(ActionError::Namespace) } else { Ok(()) }
}

fn check_stem(stem: &str) -> Result<(), ActionError> {
    if stem.is_empty() || stem.len() > MAX_LENGTH {
        return Err(ActionError::Length);
    }
    if !stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)) {
        return Err(ActionError::Character);
    }
    match stem.find(':') {
        Some(1..) => Ok(()),
        _ => Err(ActionError::Namespace),
    }
}

impl ActionPattern {
    /// Whether `action` is one of this pattern's.
    #[must_use]
    pub fn matches(&self, action: &str) -> bool {
        match self.stem() {
            Some(stem) => action.starts_with(stem),
            None => *action == *self.0,
        }
    }

    /// Whether every action of this pattern is one of `other`'s.
    #[must_use]
    pub fn covered_by(&self, other: &Self) -> bool {
        match other.stem() {
            Some(stem) => self.stem().unwrap_or(&self.0).starts_with(stem),
            None => self == other,
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning, where anything may follow it.
    fn stem(&self) -> Option<&str> {
        self.0.strip_suffix('*')
    }
}

impl FromStr for ActionPattern {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        Self::try_from(String::from(text))
    }
}

impl TryFrom<String> for ActionPattern {
    type Error = ActionError;

    fn try_from(text: String) -> Result<Self, ActionError> {
        match text.strip_suffix('*') {
            Some(stem) => check_stem(stem)?,
            None => check_action(&text)?,
        }
        Ok(Self(text.into_boxed_str()))
    }
}

impl From<ActionPattern> for String {
    fn from(pattern: ActionPattern) -> Self {
        pattern.0.into()
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ActionPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_dot_is_a_dot() {
        assert!(!pattern("s3.x:GetObject").matches("s3ax:GetObject"));
    }

    #[test]
    fn covering_follows_the_stem() {
        assert!(pattern("s3:GetObject").covered_by(&pattern("s3:Get*")));
        assert!(pattern("s3:Get*").covered_by(&pattern("s3:*")));
        assert!(!pattern("s3:*").covered_by(&pattern("s3:Get*")));
        assert!(!pattern("s3:Get*").covered_by(&pattern("s3:Get")));
    }

    #[test]
    fn what_is_not_an_action_is_refused() {
        for text in ["", "*", "s3", "s*", ":Get", "s3:", "s3:G*t", "s3:Get Object", "s3:Gét", "s3:Get**"] {
            assert!(text.parse::<ActionPattern>().is_err(), "{text:?}");
        }
        assert!(std::format!("s3:{}", "x".repeat(126)).parse::<ActionPattern>().is_err());
    }
}
