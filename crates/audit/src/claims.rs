//! What is said of chains outside of themselves.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{Batch, ChainKey, Checkpoint, Digest, Event, EventKind, Head};

/// Where somebody says that a chain had a batch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An anchor in another chain.
    Anchor {
        /// Whose chain.
        writer: String,
        /// In which batch.
        seq: u64,
    },
    /// A checkpoint that was kept elsewhere.
    Checkpoint {
        /// From when, Unix milliseconds.
        at: u64,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor { writer, seq } => write!(formatter, "the anchor in batch {seq} of writer {writer}"),
            Self::Checkpoint { at: _ } => formatter.write_str("the checkpoint"),
        }
    }
}

/// Batches that chains must have, unless they were removed for their age.
#[derive(Clone, Debug, Default)]
pub struct Claims(BTreeMap<String, BTreeMap<u64, Vec<(Digest, Source)>>>);

/// The claims on one chain.
pub(crate) type ChainClaims = BTreeMap<u64, Vec<(Digest, Source)>>;

impl Claims {
    /// What the body of every batch with an anchor contains: others need not be read for [`Claims::collect`].
    pub const MARK: &'static str = r#""event":"anchor""#;

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the anchors in `batch`, unless it was made or changed without the key: then it says nothing, and
    /// verification will tell of it.
    pub fn collect(&mut self, key: &ChainKey, batch: &Batch) {
        if !batch.body.contains(Self::MARK) || batch.digest() != batch.hash || !batch.is_keyed(key) {
            return;
        }
        for (_, event) in batch.entries() {
            let Some(Event { event: EventKind::Anchor, name: Some(name), seq: Some(seq), hash, .. }) = event
            else {
                continue;
            };
            if let Some(hash) = hash.as_deref().and_then(Digest::parse) {
                let source = Source::Anchor { writer: batch.writer.clone(), seq: batch.seq };
                self.add(&name, seq, hash, source);
            }
        }
    }

    /// Adds every head of a checkpoint.
    pub fn add_checkpoint(&mut self, checkpoint: &Checkpoint) {
        for Head { writer, seq, hash } in checkpoint.writers() {
            self.add(writer, *seq, *hash, Source::Checkpoint { at: checkpoint.at() });
        }
    }

    /// Nothing is kept twice: the same head is anchored until it moves.
    fn add(&mut self, writer: &str, seq: u64, hash: Digest, source: Source) {
        if !self.0.contains_key(writer) {
            self.0.insert(writer.to_owned(), BTreeMap::new());
        }
        let Some(claims) = self.0.get_mut(writer).map(|chain| chain.entry(seq).or_default()) else {
            return;
        };
        if !claims.iter().any(|(known, _)| *known == hash) {
            claims.push((hash, source));
        }
    }

    pub(crate) fn take(&mut self, writer: &str) -> ChainClaims {
        self.0.remove(writer).unwrap_or_default()
    }

    /// The highest claim on each chain that is left.
    pub(crate) fn into_highest(self) -> impl Iterator<Item = (String, u64, Source)> {
        self.0.into_iter().filter_map(|(writer, mut chain)| {
            let (seq, claims) = chain.pop_last()?;
            let (_, source) = claims.into_iter().next()?;
            Some((writer, seq, source))
        })
    }
}
