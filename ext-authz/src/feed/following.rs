//! How a watcher is brought from what it holds to the newest.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use tokio::time::Instant;
use verdict::document::Version;

use super::{
    base::Base,
    channel::Channel,
    document::{self, Document},
    down::{self, Whole},
    publication::{Publication, Publications},
};
use crate::{clock::UnixMillis, telemetry::feed as metrics};

/// One watcher's way.
pub(super) struct Following {
    channel: Arc<Channel>,
    way: Way,
    sent: Sent,
}

/// What a watcher's release understands.
pub(super) enum Way {
    /// Step by step.
    Deltas,
    /// Documents that name what is revoked; no other one before this instant, unless the policy is another.
    Documents(Instant),
}

/// What was sent last, or need not be.
pub(super) struct Sent {
    pub(super) base: Arc<Base>,
    pub(super) version: Version,
    pub(super) digest: [u8; 32],
    /// When its base was published.
    pub(super) at: Instant,
}

/// What was put into the queue.
pub(super) enum News {
    /// Nothing: the watcher holds it already.
    None,
    /// A whole document.
    Snapshot,
    /// What was revoked and lifted.
    Deltas,
    /// Nothing before this instant.
    Later(Instant),
}

/// The newest lacks something of what was sent.
pub(super) struct WentBack;

impl Following {
    /// Begins with who holds this version with this digest, or with one who holds nothing that leads to `newest`.
    pub(super) fn begin(
        publications: &Publications,
        channel: Arc<Channel>,
        way: Way,
        held: Option<(Version, &[u8])>,
        outgoing: &mut VecDeque<Bytes>,
    ) -> Result<(Self, News), serde_json::Error> {
        let newest = channel.newest();
        let mut following = Self { sent: Sent::of(&newest), channel, way };
        let news = match (&following.way, held) {
            (Way::Deltas, Some((version, digest))) => {
                match following.channel.deltas(&newest, version, digest) {
                    Some(frames) => push(&frames, outgoing),
                    None => following.snapshot(publications, &newest, outgoing),
                }
            }
            (Way::Deltas, None) => following.snapshot(publications, &newest, outgoing),
            (Way::Documents(_), held) => {
                let document = following.channel.document(&newest, held.unzip().0.unwrap_or_default())?;
                if held == Some((document.version, &document.digest[..])) {
                    following.sent = Sent::document(&document, newest.at);
                    News::None
                } else {
                    following.whole(publications, &document, &newest, outgoing)
                }
            }
        };
        Ok((following, news))
    }

    /// Brings the watcher up to the newest.
    pub(super) fn go_on(
        &mut self,
        publications: &Publications,
        outgoing: &mut VecDeque<Bytes>,
    ) -> Result<News, WentBack> {
        let newest = self.channel.newest();
        if newest.version.lacks(&self.sent.version) {
            return Err(WentBack);
        }
        Ok(match self.way {
            Way::Deltas => match self.channel.deltas(&newest, self.sent.version, &self.sent.digest) {
                Some(frames) => {
                    self.sent = Sent::of(&newest);
                    push(&frames, outgoing)
                }
                None => {
                    if self.sent.digest == newest.base.digest {
                        metrics::resynchronised();
                    }
                    self.snapshot(publications, &newest, outgoing)
                }
            },
            Way::Documents(not_before) => self.another(publications, &newest, not_before, outgoing),
        })
    }

    fn another(
        &mut self,
        publications: &Publications,
        newest: &Arc<Publication>,
        not_before: Instant,
        outgoing: &mut VecDeque<Bytes>,
    ) -> News {
        let is_same_policy = newest.base.digest == self.sent.base.digest
            && newest.version.generation == self.sent.version.generation;
        if is_same_policy && newest.version != self.sent.version && Instant::now() < not_before {
            return News::Later(not_before);
        }
        match self.channel.document(newest, self.sent.version) {
            Ok(document) if (document.version, document.digest) == (self.sent.version, self.sent.digest) => {
                let is_behind = document.version < newest.version;
                self.sent = Sent::document(&document, newest.at);
                if is_behind { News::Later(Instant::now() + document::INTERVAL) } else { News::None }
            }
            Ok(document) => self.whole(publications, &document, newest, outgoing),
            Err(error) => {
                // Without heartbeats for it the watcher becomes stale, and then denies.
                tracing::error!(%error, "a snapshot cannot be encoded");
                News::None
            }
        }
    }

    fn snapshot(
        &mut self,
        publications: &Publications,
        newest: &Arc<Publication>,
        outgoing: &mut VecDeque<Bytes>,
    ) -> News {
        let Publication { base, version, .. } = &**newest;
        let as_of = publications.as_of(newest);
        let whole = Whole { base, version: *version, digest: &base.digest, as_of };
        let records = self.channel.records(newest);
        metrics::snapshot_sent(base.text.len() + records.iter().map(Bytes::len).sum::<usize>());
        outgoing.extend(down::snapshot(whole, &base.text, records));
        self.sent = Sent::of(newest);
        News::Snapshot
    }

    fn whole(
        &mut self,
        publications: &Publications,
        document: &Arc<Document>,
        newest: &Arc<Publication>,
        outgoing: &mut VecDeque<Bytes>,
    ) -> News {
        let Document { base, version, digest, text, .. } = &**document;
        let as_of = if *version == newest.version { publications.as_of(newest) } else { document.as_of };
        metrics::snapshot_sent(text.len());
        let whole = Whole { base, version: *version, digest, as_of };
        outgoing.extend(down::snapshot(whole, text, Vec::new()));
        self.sent = Sent::document(document, newest.at);
        self.way = Way::Documents(Instant::now() + document::INTERVAL);
        News::Snapshot
    }

    /// What was sent last, or need not be.
    pub(super) fn sent(&self) -> &Sent {
        &self.sent
    }

    /// When what was sent last was known to be the newest there is; `None` if it is not any more.
    pub(super) fn newest_as_of(&self, publications: &Publications) -> Option<UnixMillis> {
        // Before the version: whatever was read until then is part of the state, or a later one.
        let newest = self.channel.newest();
        let as_of = publications.as_of(&newest);
        let is_newest = publications.is_newest(&newest)
            && Arc::ptr_eq(&newest.base, &self.sent.base)
            && newest.version == self.sent.version;
        is_newest.then_some(as_of)
    }
}

impl Sent {
    fn of(publication: &Publication) -> Self {
        let Publication { base, version, at, .. } = publication;
        Self { base: Arc::clone(base), version: *version, digest: base.digest, at: *at }
    }

    fn document(document: &Document, at: Instant) -> Self {
        let Document { base, version, digest, .. } = document;
        Self { base: Arc::clone(base), version: *version, digest: *digest, at }
    }
}

fn push(frames: &[Bytes], outgoing: &mut VecDeque<Bytes>) -> News {
    if frames.is_empty() {
        return News::None;
    }
    metrics::deltas_sent(frames.len(), frames.iter().map(Bytes::len).sum());
    outgoing.extend(frames.iter().cloned());
    News::Deltas
}
