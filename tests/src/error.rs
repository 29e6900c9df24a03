//! What can go wrong while real parts are put together.

use std::{path::PathBuf, time::Duration};

/// A failure of the harness itself, never of the thing under test.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A built or downloaded part is not there yet.
    #[error("{what} is missing at `{}`: run `{remedy}`", path.display())]
    Missing {
        /// The part, in words.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
        /// The command that makes it.
        remedy: &'static str,
    },
    /// A condition did not hold in time.
    #[error("waited {limit:?} in vain for {what}")]
    TimedOut {
        /// The condition, in words.
        what: String,
        /// How long was waited.
        limit: Duration,
    },
    /// A process ended although it should be running.
    #[error("{name} ended ({status}):\n{log}")]
    Ended {
        /// Which process.
        name: String,
        /// Its exit status.
        status: String,
        /// The end of what it wrote.
        log: String,
    },
    /// A file or socket operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A part answered something that the harness cannot read.
    #[error("{0}")]
    Unexpected(String),
}

/// A result of the harness.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds what was attempted to an I/O error.
pub trait IoContext<T> {
    /// Names the attempt; evaluated only on failure.
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}

/// An [`Error::Unexpected`] from anything printable.
pub fn unexpected(what: impl std::fmt::Display) -> Error {
    Error::Unexpected(what.to_string())
}
