//! As what something is revoked.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// As what something is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A token, by `jti`, with what was delegated from it.
    Token,
    /// A task, with its child tasks.
    Task,
    /// An agent: whoever holds or held a token.
    Agent,
    /// A subject.
    Subject,
    /// A client.
    Client,
    /// A signing key, by `kid`.
    Key,
}

/// A text that names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is none of token, task, agent, subject, client, key")]
pub struct UnknownLevel;

impl Level {
    /// All there are.
    pub const ALL: [Self; 6] = [Self::Token, Self::Task, Self::Agent, Self::Subject, Self::Client, Self::Key];

    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Task => "task",
            Self::Agent => "agent",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Key => "key",
        }
    }

    /// Whether a revocation can be taken back: what ended, leaked or was withdrawn never is.
    #[must_use]
    pub fn is_liftable(self) -> bool {
        matches!(self, Self::Agent | Self::Subject | Self::Client)
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or(UnknownLevel)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
