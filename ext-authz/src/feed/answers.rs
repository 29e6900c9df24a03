//! Which of a stream's snapshots its watcher has answered.
//!
//! An answer names a version, and a version is not all of a document. But each message that a watcher can judge by is
//! answered once, in order: so they are counted.

use tokio::time::Instant;

use super::{
    following::{News, Sent},
    registry::Entry,
};
use crate::telemetry::feed as metrics;

/// Counts what was sent and what was answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    sent: u64,
    answered: u64,
    /// The snapshot that was sent last, until it is answered. Who takes it needs none before it.
    awaited: Option<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    /// Which of all messages.
    place: u64,
    edition: u64,
    /// When it was published, if the stream was there then.
    published_at: Option<Instant>,
}

impl Answers {
    /// `news` went out, and ended with `sent`.
    pub(super) fn sent(&mut self, news: &News, sent: &Sent, is_news: bool) {
        match news {
            News::Snapshot => {
                self.sent += 1;
                let published_at = is_news.then_some(sent.at);
                self.awaited = Some(Awaited { place: self.sent, edition: sent.base.edition, published_at });
            }
            News::Deltas(count) => self.sent += count,
            News::None | News::Later(_) => {}
        }
    }

    /// What was sent as a document of one edition is one of another, too.
    pub(super) fn renamed(&mut self, before: u64, after: u64, entry: &Entry) {
        match &mut self.awaited {
            Some(awaited) => awaited.edition = after,
            None => entry.renamed(before, after),
        }
    }

    pub(super) fn acked(&mut self, entry: &Entry) {
        if let Some(Awaited { place, edition, published_at }) = self.next()
            && place == self.answered
        {
            entry.holds(edition);
            if let Some(at) = published_at {
                metrics::snapshot_acked(at.elapsed());
            }
        }
    }

    pub(super) fn nacked(&mut self) {
        // Whoever refuses holds what it held before.
        self.next();
    }

    /// What is awaited, if this answers it.
    fn next(&mut self) -> Option<Awaited> {
        self.answered = self.sent.min(self.answered + 1);
        self.awaited.take_if(|awaited| awaited.place <= self.answered)
    }
}
