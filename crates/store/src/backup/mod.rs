//! Backups: the whole store as JSON lines, the same from either database and for either.
//!
//! The first line says what it is, each other holds a row, and the last one proves that none is missing.

mod form;
mod restore;
mod tables;
mod write;

use std::{error::Error, io};

use thiserror::Error;

pub use restore::{Restore, Restored};

use crate::{Head, StoreError};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// What counted.
    pub head: Head,
    /// How many rows.
    pub rows: u64,
}

/// Why there is no backup.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Where it was written to.
    #[error("cannot write the backup: {0}")]
    Write(#[from] io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nothing was restored. The store is as it was.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// Where it is read from.
    #[error("cannot read the backup: {0}")]
    Read(#[from] io::Error),
    /// It is none, or none of this version's.
    #[error("this is no backup of a store: {0}")]
    Form(String),
    /// A later version made it.
    #[error(
        "a newer version of Writ made the backup: its schema is version {found}, and this version knows {known}"
    )]
    Newer {
        /// Its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// It has an end that is not its own, or none.
    #[error("the backup is cut off or damaged: {0}")]
    Damaged(&'static str),
    /// It would take the place of something.
    #[error("the store `{0}` is not empty: restoring replaces its tasks, policy and secrets")]
    NotEmpty(String),
    /// Somebody would go on with what is replaced.
    #[error(
        "the server `{0}` used the store less than half a minute ago: stop every server of this store first (SIGTERM); after \
         one that was killed, wait half a minute"
    )]
    Served(String),
    /// Nobody here could serve it.
    #[error("nothing was restored: {0}")]
    Unusable(#[source] Box<dyn Error + Send + Sync>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
