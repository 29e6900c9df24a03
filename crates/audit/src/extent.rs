//! From where to where a chain is kept.

use crate::{ChainKey, Digest, Head};

/// What is kept of one writer beside its batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its last batch.
    pub head: Head,
    /// That batch's keyed hash.
    pub mac: Digest,
    /// What was removed for its age.
    pub pruned: Pruned,
}

/// The last batch of a chain that was removed for its age, with all before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Its place; 0: nothing was removed.
    pub seq: u64,
    /// Its hash, which the first batch that is left has as its `previous`.
    pub hash: Digest,
    /// Keyed hash of this statement, so that nobody else can pass a removal for one.
    pub mac: Digest,
}

impl Pruned {
    /// The statement that `writer`'s batches up to `seq`, which has `hash`, are removed for their age.
    #[must_use]
    pub fn seal(key: &ChainKey, writer: &str, seq: u64, hash: Digest) -> Self {
        Self { seq, hash, mac: key.of_pruning(writer, seq, &hash).digest() }
    }

    /// Whether somebody with the key said so, of this writer.
    #[must_use]
    pub fn is_keyed(&self, key: &ChainKey, writer: &str) -> bool {
        let Self { seq, hash, mac } = self;
        *self == Self::default() || key.of_pruning(writer, *seq, hash).is(mac)
    }
}
