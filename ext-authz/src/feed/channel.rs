//! What one scope's streams follow.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use verdict::document::Version;

use super::{
    deltas::{Deltas, Frames},
    document::{Document, Documents},
    log::Log,
    publication::Publication,
    records::Records,
};
use crate::scope::Scope;

/// The newest publication of a scope, and the ways to it. Whatever is encoded for one stream is kept for the others.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) scope: Scope,
    pub(super) newest: watch::Sender<Arc<Publication>>,
    log: Arc<Log>,
    deltas: Deltas,
    records: Records,
    documents: Documents,
}

impl Channel {
    pub(super) fn new(scope: Scope, first: Publication, log: Arc<Log>) -> Self {
        Self {
            scope,
            newest: watch::Sender::new(Arc::new(first)),
            log,
            deltas: Deltas::default(),
            records: Records::default(),
            documents: Documents::default(),
        }
    }

    /// The newest publication.
    pub(super) fn newest(&self) -> Arc<Publication> {
        Arc::clone(&self.newest.borrow())
    }

    /// Messages that lead who holds `from` with this digest to `newest`; `None` if only a snapshot does.
    pub(super) fn deltas(&self, newest: &Arc<Publication>, from: Version, digest: &[u8]) -> Option<Frames> {
        self.deltas.since(&self.log, &self.scope, newest, from, digest)
    }

    /// Pieces of records: everything that is revoked in `newest`.
    pub(super) fn records(&self, newest: &Publication) -> Vec<Bytes> {
        self.records.pieces(&self.log, &self.scope, newest)
    }

    /// `newest` in one document, or one that is little older; no older than `held`, if `newest` is not.
    pub(super) fn document(
        &self,
        newest: &Publication,
        held: Version,
    ) -> Result<Arc<Document>, serde_json::Error> {
        self.documents.of(&self.scope, newest, held)
    }
}
