//! One scope's part of a document, encoded once for all streams.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use verdict::document::{SnapshotDocument, Version};

use crate::{scope::Scope, state::State};

/// Time between heartbeats, at most and at least.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// A heartbeat comes at least so many times in the time after which a host is stale.
const BEATS: u32 = 10;

/// What stays the same while revocations come and go.
#[derive(Debug)]
pub(super) struct Base {
    /// What it is a part of.
    document: Arc<SnapshotDocument>,
    /// See [`State::edition`].
    pub(super) edition: u64,
    /// Counts no revocations.
    pub(super) version: Version,
    /// SHA-256 of its text: keys, settings and what the scope sees change under one version.
    pub(super) digest: [u8; 32],
    pub(super) requires: Vec<String>,
    /// Time between heartbeats.
    pub(super) interval: Duration,
    /// JSON, without revocations.
    pub(super) text: Bytes,
}

impl Base {
    pub(super) fn new(scope: &Scope, state: &State) -> Result<Self, serde_json::Error> {
        let document = Arc::clone(state.document());
        let part = scope.part(&document);
        let stalest = part.hosts.iter().map(|host| Duration::from_secs(host.max_staleness)).min();
        let interval = stalest
            .map_or(LONGEST_INTERVAL, |stalest| (stalest / BEATS).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL));
        let text: Bytes = serde_json::to_vec(&part)?.into();
        Ok(Self {
            edition: state.edition(),
            version: part.version,
            digest: Sha256::digest(&text).into(),
            requires: part.requires.clone(),
            interval,
            text,
            document,
        })
    }

    /// Whether it is a part of the document of `state`.
    pub(super) fn is_of(&self, state: &State) -> bool {
        Arc::ptr_eq(&self.document, state.document())
    }

    /// What it is a part of.
    pub(super) fn document(&self) -> &SnapshotDocument {
        &self.document
    }

    #[cfg(test)]
    pub(super) fn for_test(text: Bytes) -> Self {
        Self {
            document: Arc::clone(super::tests::state(1).document()),
            edition: 1,
            version: Version { epoch: 1, generation: 1_700_000_000, revocation: 0 },
            digest: Sha256::digest(&text).into(),
            requires: vec!["deltas".into()],
            interval: LONGEST_INTERVAL,
            text,
        }
    }
}

/// `text` in pieces of so many bytes, which share its allocation.
pub(super) fn cut(text: &Bytes, piece: usize) -> impl Iterator<Item = Bytes> {
    let length = text.len();
    (0..length).step_by(piece).map(move |start| text.slice(start..length.min(start + piece)))
}
