//! A writer's chain.

use serde::{Deserialize, Serialize};

use crate::{Batch, ChainKey, Digest, Lines};

/// The last batch of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Whose.
    pub writer: String,
    /// Its last batch; 0 before the first.
    pub seq: u64,
    /// That batch's hash.
    pub hash: Digest,
}

/// One writer's chain, as far as it is committed.
#[derive(Clone, Debug)]
pub struct Chain {
    key: ChainKey,
    head: Head,
}

impl Chain {
    /// A new chain. `writer` must be a name that was never used.
    #[must_use]
    pub fn begin(writer: String, key: ChainKey) -> Self {
        Self { key, head: Head { writer, seq: 0, hash: Digest::default() } }
    }

    /// Its end.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The key of its heads.
    #[must_use]
    pub fn key(&self) -> &ChainKey {
        &self.key
    }

    /// Seals `lines` as the batch that comes next. The chain goes on from it only once [`Chain::advance`] was told that it
    /// is kept.
    #[must_use]
    pub fn seal(&self, lines: Lines, sealed_at: u64) -> Batch {
        let Head { writer, seq, hash: previous } = &self.head;
        let (events, body) = lines.into_parts();
        let mut batch = Batch {
            writer: writer.clone(),
            seq: seq + 1,
            sealed_at,
            events,
            body,
            previous: *previous,
            hash: Digest::default(),
            mac: Digest::default(),
        };
        batch.hash = batch.digest();
        batch.mac = batch.keyed(&self.key);
        batch
    }

    /// `batch` is kept: the next one follows it.
    pub fn advance(&mut self, batch: &Batch) {
        (self.head.seq, self.head.hash) = (batch.seq, batch.hash);
    }
}
