//! Whole documents, for watchers of a release that knows no deltas.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use verdict::document::Version;

use super::{base::Base, publication::Publication};
use crate::{
    clock::{self, UnixMillis},
    scope::Scope,
};

/// The least time between two documents that differ in what is revoked only.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// The newest document of one scope that was asked for.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Option<Arc<Document>>>);

/// A document that names what is revoked.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) base: Arc<Base>,
    pub(super) version: Version,
    /// SHA-256 of its text.
    pub(super) digest: [u8; 32],
    pub(super) text: Bytes,
    /// When everything in it was known to be complete.
    pub(super) as_of: UnixMillis,
    made_at: Instant,
}

impl Documents {
    /// That of `newest`, or of an earlier revocation if that is younger than [`INTERVAL`] and lacks nothing of `held`.
    pub(super) fn of(
        &self,
        scope: &Scope,
        newest: &Publication,
        held: Version,
    ) -> Result<Arc<Document>, serde_json::Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.will_do_for(newest, held)) {
            return Ok(Arc::clone(kept));
        }
        let document = Arc::new(Document::new(scope, newest)?);
        *kept = Some(Arc::clone(&document));
        Ok(document)
    }
}

impl Document {
    fn new(scope: &Scope, newest: &Publication) -> Result<Self, serde_json::Error> {
        let Publication { base, version, revoked, as_of, .. } = newest;
        let (text, digest) = if *version == base.version && revoked.is_empty() {
            (base.text.clone(), base.digest)
        } else {
            let now = clock::now();
            let mut part = scope.part(base.document()).into_owned();
            part.version = *version;
            let records = revoked.iter().filter(|record| !record.is_over(now));
            part.revocations = records.map(|record| URL_SAFE_NO_PAD.encode(record.hash)).collect();
            let text: Bytes = serde_json::to_vec(&part)?.into();
            let digest = Sha256::digest(&text).into();
            (text, digest)
        };
        let made_at = Instant::now();
        Ok(Self { base: Arc::clone(base), version: *version, digest, text, as_of: *as_of, made_at })
    }

    fn will_do_for(&self, newest: &Publication, held: Version) -> bool {
        let is_of_base = Arc::ptr_eq(&self.base, &newest.base) && self.version <= newest.version;
        let is_young = self.made_at.elapsed() < INTERVAL && !self.version.lacks(&held);
        is_of_base && (self.version == newest.version || is_young)
    }
}
