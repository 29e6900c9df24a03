//! Why nobody knows what is revoked.

use store::StoreError;
use thiserror::Error;
use verdict::revocation::Full;

/// The store cannot be read, or must not be believed, or holds more than fits. In each case what is served grows old.
#[derive(Debug, Error)]
pub enum TailFault {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It holds less than it did: somebody put an old copy in its place.
    #[error(
        "the store went back from epoch {}, revocation {} to epoch {}, revocation {}: restore a backup as a new epoch, or \
         end all servers",
        served.0, served.1, found.0, found.1
    )]
    WentBack {
        /// Epoch and sequence of what is served.
        served: (u64, u64),
        /// Of what is there now.
        found: (u64, u64),
    },
    /// What does not fit must not be forgotten.
    #[error("{0}: what is served grows stale until some have expired")]
    Full(#[from] Full),
}
