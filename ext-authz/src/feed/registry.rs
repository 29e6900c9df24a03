//! Who watches, and what it holds: for operators.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metrics::Counter;
use proto::v1::{Hello, Node};
use tokio::time::Instant;
use verdict::document::Version;

use super::holdings::Holdings;
use crate::{
    clock,
    telemetry::feed::{self, OpenStream},
};

/// Most bytes that are kept of what a watcher calls itself, and of why it refuses a version.
const NAME: usize = 255;
const REASON: usize = 1024;

/// Every stream that said Hello.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<Streams>>);

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    open: BTreeMap<u64, Watcher>,
    /// Data planes that have been there: one that went is not left behind in the figures.
    seen: BTreeSet<Arc<str>>,
    holdings: Holdings,
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// The data plane.
    pub name: Arc<str>,
    /// Envoy's `node.id`.
    pub node: Box<str>,
    /// Envoy's `node.cluster`.
    pub cluster: Box<str>,
    /// The watcher's release.
    pub build: Box<str>,
    /// Version of the feed's protocol.
    pub protocol: u32,
    /// Unix seconds.
    pub connected_at: u64,
    /// What it holds; `None`: nothing yet.
    pub version: Option<Version>,
    /// Of the document that it holds (see [`crate::state::State::edition`]); `None`: of none that was sent by this process.
    pub edition: Option<u64>,
    /// When it said so, Unix seconds.
    pub acked_at: Option<u64>,
    /// What it refuses, if nothing later was taken.
    pub nack: Option<Nacked>,
    /// Requests that it judged.
    pub decided: u64,
    /// Decisions that it did not report.
    pub dropped: u64,
}

/// A version that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nacked {
    /// Which.
    pub version: Version,
    /// Why.
    pub reason: Box<str>,
    /// When, Unix seconds.
    pub at: u64,
}

/// A stream's entry, until it is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    registry: Registry,
    id: u64,
    acks: Counter,
    _counted: OpenStream,
}

impl Registry {
    /// Every stream, in the order in which they came.
    #[must_use]
    pub fn watchers(&self) -> Vec<Watcher> {
        self.lock().open.values().cloned().collect()
    }

    /// How far behind `newest` the watcher is that holds the oldest generation. One that holds nothing yet has a
    /// connection's first moments to get it, and is not counted.
    #[must_use]
    pub fn lag(&self, newest: Version) -> u64 {
        let streams = self.lock();
        let held = streams.open.values().filter_map(|watcher| watcher.version);
        held.map(|version| generations_behind(version, newest)).max().unwrap_or(0)
    }

    /// How many revocations behind `newest` each data plane is, by the watcher that holds the oldest.
    #[must_use]
    pub fn revocation_lags(&self, newest: Version) -> BTreeMap<Arc<str>, u64> {
        let streams = self.lock();
        let mut lags: BTreeMap<_, _> = streams.seen.iter().map(|name| (Arc::clone(name), 0)).collect();
        for watcher in streams.open.values() {
            let behind = watcher.version.map_or(0, |version| revocations_behind(version, newest));
            if let Some(lag) = lags.get_mut(&watcher.name) {
                *lag = behind.max(*lag);
            }
        }
        lags
    }

    /// Whether every watcher that is connected judges by a document of this edition or a later one, as
    /// [`crate::state::State::edition`] counts them. One that holds nothing yet does not, nor one that refused it.
    #[must_use]
    pub fn all_hold(&self, edition: u64) -> bool {
        self.lock().open.values().all(|watcher| watcher.edition >= Some(edition))
    }

    /// Something was revoked or lifted at this instant: how long it takes all watchers to hold it will be measured.
    pub(crate) fn expect(&self, epoch: u64, sequence: u64, at: Instant) {
        self.lock().holdings.expect((epoch, sequence), at);
    }

    pub(super) fn enter(&self, name: &Arc<str>, hello: Hello) -> Entry {
        let Hello { protocol, build, features: _, node, version, digest: _ } = hello;
        let Node { id: node, cluster } = node.unwrap_or_default();
        let now = clock::now().0;
        let watcher = Watcher {
            name: Arc::clone(name),
            node: bounded(&node, NAME).into(),
            cluster: bounded(&cluster, NAME).into(),
            build: bounded(&build, NAME).into(),
            protocol,
            connected_at: now,
            version: version.map(super::from_wire),
            edition: None,
            acked_at: version.map(|_| now),
            nack: None,
            decided: 0,
            dropped: 0,
        };
        let mut streams = self.lock();
        let id = streams.next;
        streams.next += 1;
        streams.seen.insert(Arc::clone(name));
        streams.holdings.change(None, watcher.version);
        streams.open.insert(id, watcher);
        drop(streams);
        Entry { registry: self.clone(), id, acks: feed::acks(name), _counted: feed::stream_opened(name) }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(super) fn acked(&self, version: Version) {
        self.acks.increment(1);
        self.change(|watcher| {
            watcher.version = Some(version);
            watcher.acked_at = Some(clock::now().0);
            watcher.nack = None;
        });
    }

    /// Judges by a document of this edition.
    pub(super) fn holds(&self, edition: u64) {
        self.change(|watcher| watcher.edition = Some(edition));
    }

    /// The document of one edition is that of another, too; a watcher that refused it holds neither.
    pub(super) fn renamed(&self, before: u64, after: u64) {
        self.change(|watcher| {
            if watcher.edition == Some(before) {
                watcher.edition = Some(after);
            }
        });
    }

    /// What it came with is another document of the same version.
    pub(super) fn holds_nothing(&self) {
        self.change(|watcher| (watcher.version, watcher.acked_at) = (None, None));
    }

    pub(super) fn nacked(&self, version: Version, reason: &str) {
        let nack = Nacked { version, reason: bounded(reason, REASON).into(), at: clock::now().0 };
        self.change(|watcher| watcher.nack = Some(nack));
    }

    pub(super) fn reported(&self, decided: u64, dropped: u64) {
        self.change(|watcher| {
            watcher.decided = watcher.decided.saturating_add(decided);
            watcher.dropped = watcher.dropped.saturating_add(dropped);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Watcher)) {
        let mut streams = self.registry.lock();
        let Streams { open, holdings, .. } = &mut *streams;
        if let Some(watcher) = open.get_mut(&self.id) {
            let before = watcher.version;
            change(watcher);
            holdings.change(before, watcher.version);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut streams = self.registry.lock();
        if let Some(watcher) = streams.open.remove(&self.id) {
            streams.holdings.change(watcher.version, None);
        }
    }
}

/// Generations of different epochs are not of one count: there, what is newer counts from the epoch's start.
pub(crate) fn generations_behind(held: Version, newest: Version) -> u64 {
    if held.epoch < newest.epoch {
        newest.generation
    } else {
        newest.generation.saturating_sub(held.generation)
    }
}

/// Where a policy or an epoch is missing, all that it came with is.
pub(crate) fn revocations_behind(held: Version, newest: Version) -> u64 {
    if held.epoch < newest.epoch {
        newest.revocation
    } else {
        newest.revocation.saturating_sub(held.revocation)
    }
}

/// The beginning of `text`, at most so many bytes.
pub(super) fn bounded(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(bounded("añb", 2), "a");
        assert_eq!(bounded("añb", 3), "añ");
        assert_eq!(bounded("añb", 9), "añb");
    }

    #[test]
    fn lag_is_that_of_the_oldest() {
        let version = |epoch, generation| Version { epoch, generation, revocation: 7 };
        assert_eq!(generations_behind(version(1, 7), version(1, 9)), 2);
        assert_eq!(generations_behind(version(1, 9), version(1, 7)), 0);
        assert_eq!(generations_behind(version(1, 9), version(2, 3)), 3);
        let newest = Version { revocation: 9, ..version(2, 3) };
        assert_eq!(revocations_behind(version(2, 2), newest), 2);
        assert_eq!(revocations_behind(version(1, 9), newest), 9);
        assert_eq!(revocations_behind(newest, version(2, 3)), 0);
    }
}
