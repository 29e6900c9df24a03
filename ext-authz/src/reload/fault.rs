//! Why the store tells nothing that could be followed.

use store::StoreError;
use thiserror::Error;
use verdict::SnapshotError;

use crate::keys::KeyError;

/// The store cannot be read, or must not be believed. Either way nobody knows what holds now: what is served grows old.
#[derive(Debug, Error)]
pub enum StoreFault {
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It holds signing keys that this server cannot use.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Its signing keys make no snapshot.
    #[error("the store's signing keys: {0}")]
    Keyed(SnapshotError),
    /// It holds less than it did: somebody put an old copy in its place. Revocations may be missing from it.
    #[error(
        "the store went back from generation {served} to {found}: restore a backup as a new epoch, or end all servers"
    )]
    WentBack {
        /// The latest generation that was there.
        served: u64,
        /// The one that is there now; 0 if there is none.
        found: u64,
    },
    /// It holds a policy that is no list of files.
    #[error("generation {generation} of the store cannot be read: {reason}")]
    Content {
        /// Its number.
        generation: u64,
        /// What is wrong.
        reason: String,
    },
    /// A policy that cannot be written down.
    #[error("the policy cannot be written to the store: {0}")]
    Form(String),
}
