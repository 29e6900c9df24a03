//! One link of a chain.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{ChainKey, Digest, Event};

/// Events that were written together, with what ties them to the batch before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose chain it is in.
    pub writer: String,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// When it was sealed, Unix milliseconds.
    pub sealed_at: u64,
    /// How many events it has.
    pub events: u64,
    /// The events: JSON, one a line.
    pub body: String,
    /// Hash of the batch before; all zeros for the first.
    pub previous: Digest,
    /// Of everything above.
    pub hash: Digest,
    /// Keyed hash of `hash`: who has no key cannot make a chain of their own.
    pub mac: Digest,
}

/// What every event has, whatever else a later version may give it.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(rename = "at")]
    _at: u64,
    #[serde(rename = "event", borrow)]
    _event: &'l str,
}

impl Batch {
    /// The hash that the other members should have.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest_at(&self.texts(), self.seq)
    }

    /// The place among the first `most` that this batch was sealed for, where that is not the place where it stands.
    pub(crate) fn sealed_place(&self, most: u64) -> Option<u64> {
        let texts = self.texts();
        (1..=most).find(|seq| *seq != self.seq && self.digest_at(&texts, *seq) == self.hash)
    }

    /// The keyed hash that it should have.
    #[must_use]
    pub fn keyed(&self, key: &ChainKey) -> Digest {
        key.of_batch(&self.hash).digest()
    }

    /// Whether somebody with the key made its hash.
    #[must_use]
    pub fn is_keyed(&self, key: &ChainKey) -> bool {
        key.of_batch(&self.hash).is(&self.mac)
    }

    /// Its events, in the order in which they were written, each with the line it is. `None` stands for one that this
    /// version cannot read.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Option<Event<'_>>)> {
        self.body.lines().map(|line| (line, serde_json::from_str(line).ok()))
    }

    /// The first line that is no event, from 1.
    pub(crate) fn first_bad_line(&self) -> Option<u64> {
        // Derived code takes a list for an object.
        let is_bad = |line: &str| !line.starts_with('{') || serde_json::from_str::<Line<'_>>(line).is_err();
        (1..).zip(self.body.lines()).find(|(_, line)| is_bad(line)).map(|(number, _)| number)
    }

    /// The longest part goes first: it is hashed once, whatever follows.
    fn texts(&self) -> Sha256 {
        let mut hash = Sha256::new();
        hash.update(b"writ audit batch 1\0");
        // Lengths keep one member from running into the next.
        for text in [&self.writer, &self.body] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash
    }

    fn digest_at(&self, texts: &Sha256, seq: u64) -> Digest {
        let Self { writer: _, seq: _, sealed_at, events, body: _, previous, hash: _, mac: _ } = self;
        let mut hash = texts.clone();
        for number in [seq, *sealed_at, *events] {
            hash.update(number.to_be_bytes());
        }
        hash.update(previous.0);
        Digest(hash.finalize().into())
    }
}
