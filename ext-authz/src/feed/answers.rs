//! Which of a stream's snapshots its watcher has taken.
//!
//! An answer names a version, and a version is not all of a document: keys change under it. So it is counted how many
//! answers of the same version are due for what was sent before.

use tokio::time::Instant;
use verdict::document::Version;

use super::following::{News, Sent};

/// What was sent, as far as answers to it are to be told apart.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The version that was sent last, and how many messages that lead to it are not answered.
    last: Option<(Version, u32)>,
    /// The snapshot that was sent last, until it is answered. Who takes it needs none before it.
    awaited: Option<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    version: Version,
    /// Answers of this version that are due for what was sent before.
    before: u32,
    snapshot: Snapshot,
}

/// A snapshot that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// See [`crate::state::State::edition`].
    pub(super) edition: u64,
    /// When it was published, if the stream was there then.
    pub(super) published_at: Option<Instant>,
}

impl Answers {
    /// `news` went out, and ended with `sent`.
    pub(super) fn sent(&mut self, news: &News, sent: &Sent, is_news: bool) {
        let version = sent.version;
        match news {
            News::Snapshot => {
                let published_at = is_news.then_some(sent.at);
                let snapshot = Snapshot { edition: sent.base.edition, published_at };
                self.await_snapshot(version, snapshot);
            }
            News::Deltas => drop(self.count(version)),
            News::None | News::Later(_) => {}
        }
    }

    fn await_snapshot(&mut self, version: Version, snapshot: Snapshot) {
        let before = self.count(version);
        self.awaited = Some(Awaited { version, before, snapshot });
    }

    /// Counts a message; how many of its version were not answered before it.
    fn count(&mut self, version: Version) -> u32 {
        let before = self.last.filter(|(last, _)| *last == version).map_or(0, |(_, count)| count);
        self.last = Some((version, before.saturating_add(1)));
        before
    }

    /// What was sent as a document of one edition is one of another, too; whether it is still awaited.
    pub(super) fn renamed(&mut self, edition: u64) -> bool {
        if let Some(awaited) = &mut self.awaited {
            awaited.snapshot.edition = edition;
        }
        self.awaited.is_some()
    }

    /// The watcher judges by this version; the snapshot that it thereby took.
    pub(super) fn acked(&mut self, version: Version) -> Option<Snapshot> {
        self.answered(version).map(|awaited| awaited.snapshot)
    }

    /// The watcher judges by what it judged by before.
    pub(super) fn nacked(&mut self, version: Version) {
        let _ = self.answered(version);
    }

    fn answered(&mut self, version: Version) -> Option<Awaited> {
        if let Some((last, count)) = &mut self.last
            && *last == version
        {
            *count = count.saturating_sub(1);
        }
        let awaited = self.awaited.as_mut()?;
        if version == awaited.version && awaited.before > 0 {
            awaited.before -= 1;
            return None;
        }
        // A later one rests on it.
        self.awaited.take_if(|awaited| version >= awaited.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(revocation: u64) -> Version {
        Version { epoch: 1, generation: 1, revocation }
    }

    fn snapshot(edition: u64) -> Snapshot {
        Snapshot { edition, published_at: None }
    }

    #[test]
    fn an_answer_to_what_came_before_is_none_to_the_snapshot() {
        let mut answers = Answers::default();
        answers.await_snapshot(version(1), snapshot(1));
        assert_eq!(answers.acked(version(1)), Some(snapshot(1)));
        // A delta, and then other keys under its version.
        answers.count(version(2));
        answers.await_snapshot(version(2), snapshot(2));
        answers.await_snapshot(version(2), snapshot(3));
        assert_eq!(answers.acked(version(2)), None);
        assert_eq!(answers.acked(version(2)), None);
        assert_eq!(answers.acked(version(2)), Some(snapshot(3)));
        assert_eq!(answers.acked(version(2)), None);
    }

    #[test]
    fn a_later_version_rests_on_the_snapshot() {
        let mut answers = Answers::default();
        answers.await_snapshot(version(1), snapshot(1));
        answers.count(version(2));
        assert_eq!(answers.acked(version(0)), None);
        assert_eq!(answers.acked(version(2)), Some(snapshot(1)));
    }

    #[test]
    fn what_is_refused_is_not_taken() {
        let mut answers = Answers::default();
        answers.await_snapshot(version(1), snapshot(1));
        assert!(answers.renamed(2));
        answers.nacked(version(1));
        assert!(!answers.renamed(3));
        assert_eq!(answers.acked(version(1)), None);
    }
}
