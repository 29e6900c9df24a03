//! What can go wrong with a store. No message holds a password: a store is named as its location shows itself.

use std::{io, time::Duration};

use sqlx::error::DatabaseError;
use thiserror::Error;

use crate::StoreLocation;

/// Why the store did not do what it was asked to. Nothing of it was done.
///
/// One exception: a connection that broke while the database committed. Whoever writes reads again before trying again.
#[derive(Clone, Debug, Error)]
#[error("the store `{store}` {fault}")]
pub struct StoreError {
    store: String,
    fault: Fault,
}

#[derive(Clone, Debug, Error)]
pub(crate) enum Fault {
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error(
        "was made by a newer version of Writ: its schema is version {found}, and this version knows {known}"
    )]
    Newer { found: i64, known: i64 },
    #[error("has no room left: {0}")]
    Full(String),
    #[error("failed: {0}")]
    Failed(String),
    #[error("holds what this version cannot read: {0}")]
    Content(String),
}

impl StoreError {
    pub(crate) fn new(store: String, fault: Fault) -> Self {
        Self { store, fault }
    }

    /// Whether a newer version made the schema, so that trying again is of no use.
    #[must_use]
    pub fn is_newer_schema(&self) -> bool {
        matches!(self.fault, Fault::Newer { .. })
    }

    /// Whether its disk is full: nothing can be written until there is room again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.fault, Fault::Full(_))
    }
}

impl Fault {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(reason) => Self::Unreachable(reason.to_string()),
            sqlx::Error::Tls(reason) => Self::Unreachable(format!("TLS: {reason}")),
            sqlx::Error::Database(reason) if is_full(reason.as_ref()) => {
                Self::Full(reason.message().to_owned())
            }
            sqlx::Error::Database(reason) => Self::Failed(reason.message().to_owned()),
            other => Self::Failed(other.to_string()),
        }
    }

    /// Names the store.
    pub(crate) fn at(self, store: &StoreLocation) -> StoreError {
        StoreError::new(store.to_string(), self)
    }

    /// As [`Fault::of`], of an attempt to connect.
    pub(crate) fn of_connecting(error: &sqlx::Error) -> Self {
        match Self::of(error) {
            Self::Failed(reason) => Self::Unreachable(reason),
            fault => fault,
        }
    }
}

/// `SQLITE_FULL`; `disk_full` of PostgreSQL.
fn is_full(error: &dyn DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("13" | "53100"))
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::of(&error)
    }
}

/// Why a generation was not published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// Another replica published since the caller read the store. To be read again, and judged anew.
    #[error("another replica published a policy at the same time")]
    Lost,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a secret was not kept.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Nobody saw it.
    #[error("{0}")]
    NotShown(io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
