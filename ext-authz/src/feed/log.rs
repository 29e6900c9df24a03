//! What happened lately, for streams that follow step by step.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{clock::UnixMillis, revocations::Tick};

/// Most changes that are kept, 40 bytes each, and most ticks. Who is further behind gets a snapshot.
const CHANGES: usize = 1 << 16;
const TICKS: usize = 1 << 13;

/// The newest ticks of one reading of the store, without a gap. All scopes share it.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Ticks>);

#[derive(Debug, Default)]
struct Ticks {
    entries: VecDeque<Entry>,
    changes: usize,
}

/// One tick.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) tick: Arc<Tick>,
    /// When everything up to it was known to be complete.
    pub(super) as_of: UnixMillis,
}

impl Log {
    /// Adds what came next. What it does not follow is forgotten.
    pub(super) fn push(&self, entry: Entry) {
        let mut ticks = self.lock();
        let Tick { reading, previous, .. } = *entry.tick;
        let follows = |last: &Entry| (last.tick.reading, last.tick.sequence) == (reading, previous);
        if !ticks.entries.back().is_none_or(follows) {
            *ticks = Ticks::default();
        }
        ticks.changes += entry.tick.changes.len();
        ticks.entries.push_back(entry);
        while ticks.entries.len() > 1 && (ticks.changes > CHANGES || ticks.entries.len() > TICKS) {
            let oldest = ticks.entries.pop_front();
            ticks.changes -= oldest.map_or(0, |oldest| oldest.tick.changes.len());
        }
    }

    /// All of what leads from one sequence to another of this reading; the first tick may begin earlier. `None` if
    /// something of it is not known any more.
    pub(super) fn between(&self, reading: u64, from: u64, to: u64) -> Option<Vec<Entry>> {
        if from == to {
            return Some(Vec::new());
        }
        let ticks = self.lock();
        let first = ticks.entries.front()?;
        if first.tick.reading != reading || first.tick.previous > from {
            return None;
        }
        let start = ticks.entries.partition_point(|entry| entry.tick.sequence <= from);
        let end = ticks.entries.partition_point(|entry| entry.tick.sequence <= to);
        let found: Vec<Entry> = ticks.entries.range(start..end.max(start)).cloned().collect();
        found.last().is_some_and(|last| last.tick.sequence == to).then_some(found)
    }

    fn lock(&self) -> MutexGuard<'_, Ticks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn push(log: &Log, reading: u64, previous: u64, sequence: u64) {
        let tick =
            Arc::new(Tick { reading, previous, sequence, known_at: Instant::now(), changes: Vec::new() });
        log.push(Entry { tick, as_of: UnixMillis(sequence) });
    }

    fn ends(log: &Log, reading: u64, from: u64, to: u64) -> Option<Vec<u64>> {
        let found = log.between(reading, from, to)?;
        Some(found.iter().map(|entry| entry.tick.sequence).collect())
    }

    #[test]
    fn what_leads_somewhere_is_found_from_anywhere() {
        let log = Log::default();
        assert_eq!(ends(&log, 1, 5, 5), Some(vec![]));
        assert_eq!(ends(&log, 1, 5, 6), None);
        push(&log, 1, 5, 8);
        push(&log, 1, 8, 9);
        push(&log, 1, 9, 12);
        assert_eq!(ends(&log, 1, 5, 12), Some(vec![8, 9, 12]));
        assert_eq!(ends(&log, 1, 6, 9), Some(vec![8, 9]));
        assert_eq!(ends(&log, 1, 8, 12), Some(vec![9, 12]));
        // Before the first, after the last, between two, and of another reading.
        for (reading, from, to) in [(1, 4, 12), (1, 5, 13), (1, 5, 10), (1, 13, 14), (2, 5, 12)] {
            assert_eq!(ends(&log, reading, from, to), None, "{reading} {from} {to}");
        }
    }

    #[test]
    fn a_gap_is_a_new_beginning() {
        let log = Log::default();
        push(&log, 1, 0, 3);
        push(&log, 1, 4, 5);
        assert_eq!(ends(&log, 1, 0, 5), None);
        assert_eq!(ends(&log, 1, 4, 5), Some(vec![5]));
        push(&log, 2, 5, 6);
        assert_eq!(ends(&log, 1, 4, 5), None);
        assert_eq!(ends(&log, 2, 5, 6), Some(vec![6]));
    }

    #[test]
    fn it_is_bounded() {
        let log = Log::default();
        let count = TICKS as u64 + 10;
        for sequence in 1..=count {
            push(&log, 1, sequence - 1, sequence);
        }
        assert_eq!(ends(&log, 1, 9, count), None);
        assert_eq!(ends(&log, 1, 10, count).map(|ends| ends.len()), Some(TICKS));
    }
}
