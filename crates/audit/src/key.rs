//! The key of the log, and what is signed with it. Every use has a prefix of its own, so that none passes for another.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::Digest;

/// The key of the heads. Whoever has it can make a chain; whoever has not can only break one.
#[derive(Clone)]
pub struct ChainKey([u8; 32]);

impl ChainKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The keyed hash of a batch that has `hash`.
    pub(crate) fn of_batch(&self, hash: &Digest) -> Keyed {
        self.begin(b"writ audit head 1\0").bytes(&hash.0)
    }

    /// The keyed hash of the statement that a writer's batches up to `seq` were removed for their age.
    pub(crate) fn of_pruning(&self, writer: &str, seq: u64, hash: &Digest) -> Keyed {
        self.begin(b"writ audit pruned 1\0").text(writer).number(seq).bytes(&hash.0)
    }

    /// The keyed hash of a checkpoint, whose members follow.
    pub(crate) fn of_checkpoint(&self) -> Keyed {
        self.begin(b"writ audit checkpoint 1\0")
    }

    fn begin(&self, purpose: &[u8]) -> Keyed {
        // A key of any length will do (RFC 2104 section 3), so that this is never `None`.
        Keyed(Hmac::<Sha256>::new_from_slice(&self.0).ok()).bytes(purpose)
    }
}

impl fmt::Debug for ChainKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ChainKey(secret)")
    }
}

/// A keyed hash in the making.
pub(crate) struct Keyed(Option<Hmac<Sha256>>);

impl Keyed {
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        if let Some(mac) = &mut self.0 {
            mac.update(bytes);
        }
        self
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Its length goes first: one text cannot run into the next.
    pub(crate) fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }

    pub(crate) fn digest(self) -> Digest {
        self.0.map_or_else(Digest::default, |mac| Digest(mac.finalize().into_bytes().into()))
    }

    /// Whether it is `found`, in a time that does not tell how much of it is.
    pub(crate) fn is(self, found: &Digest) -> bool {
        self.0.is_some_and(|mac| mac.verify_slice(&found.0).is_ok())
    }
}
