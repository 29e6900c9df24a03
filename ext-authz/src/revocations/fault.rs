//! Why nobody knows what is revoked.

use store::StoreError;
use thiserror::Error;
use verdict::revocation::Full;

/// An old copy was put in the store's place, or a standby that lacked the last commits. What has been written there since
/// has the numbers of what was lost, so nobody can tell any more what is missing: nothing of this epoch is believed.
#[derive(Clone, Copy, Debug, Error)]
#[error(
    "the store lost commits: it went back from epoch {}, revocation {} to epoch {}, revocation {}. This server believes it \
     again in a new epoch, which `writ restore` begins, or after a restart",
    known.0, known.1, found.0, found.1
)]
pub struct WentBack {
    /// Epoch and sequence that it had come to.
    pub(super) known: (u64, u64),
    /// Those at which it was found then.
    pub(super) found: (u64, u64),
}

/// The store cannot be read, or must not be believed, or holds more than fits. In each case what is served grows old.
#[derive(Debug, Error)]
pub enum TailFault {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It held less than before, at this time or at an earlier one.
    #[error(transparent)]
    WentBack(#[from] WentBack),
    /// What does not fit must not be forgotten.
    #[error("{0}: what is served grows stale until some have expired or are lifted")]
    Full(#[from] Full),
}
