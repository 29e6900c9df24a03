//! Which revocations watchers hold, to tell when the last of them holds one.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;
use verdict::document::Version;

use crate::telemetry::feed;

/// Most revocations that are waited for at one time; of more, only every so many are measured.
const EXPECTED: usize = 4096;
/// How long is waited: who does not hold it by then has refused, or hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Epoch and sequence, in the order in which they come.
type Place = (u64, u64);

/// How many watchers hold what, and what not all of them hold yet.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    held: BTreeMap<Place, usize>,
    expected: VecDeque<(Place, Instant)>,
}

impl Holdings {
    /// A watcher holds something else than before; `None`: nothing, as one that has come or gone.
    pub(super) fn change(&mut self, before: Option<Version>, after: Option<Version>) {
        let [before, after] = [before, after].map(|version| version.map(place));
        if before == after {
            return;
        }
        if let Some(after) = after {
            *self.held.entry(after).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(count) = self.held.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&before);
            }
        }
        self.settle();
    }

    /// What happened at this instant is to be held by all.
    pub(super) fn expect(&mut self, place: Place, at: Instant) {
        while self.expected.front().is_some_and(|(_, at)| at.elapsed() > PATIENCE) {
            self.expected.pop_front();
            feed::revocation_acked(PATIENCE);
        }
        // Where nobody watches, nobody is late.
        if !self.held.is_empty() && self.expected.len() < EXPECTED {
            self.expected.push_back((place, at));
        }
    }

    /// Measures what all hold. Who came later came with it.
    fn settle(&mut self) {
        let Some((oldest, _)) = self.held.first_key_value() else {
            self.expected.clear();
            return;
        };
        while let Some((_, at)) = self.expected.pop_front_if(|(place, _)| *place <= *oldest) {
            feed::revocation_acked(at.elapsed());
        }
    }
}

fn place(version: Version) -> Place {
    (version.epoch, version.revocation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(revocation: u64) -> Option<Version> {
        Some(Version { epoch: 1, generation: 1, revocation })
    }

    #[test]
    fn the_last_watcher_counts() {
        let mut holdings = Holdings::default();
        holdings.expect((1, 1), Instant::now());
        assert!(holdings.expected.is_empty(), "nobody watches");
        for _ in 0..2 {
            holdings.change(None, version(1));
        }
        holdings.expect((1, 2), Instant::now());
        holdings.expect((1, 3), Instant::now());
        holdings.change(version(1), version(3));
        assert_eq!(holdings.expected.len(), 2);
        holdings.change(version(1), version(2));
        assert_eq!(holdings.expected.len(), 1);
        // Another one comes with it, and the last one goes.
        holdings.change(None, version(3));
        holdings.change(version(2), None);
        assert!(holdings.expected.is_empty());
        assert_eq!(holdings.held, BTreeMap::from([((1, 3), 2)]));
    }
}
