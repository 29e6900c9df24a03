//! How much is revoked, by level: for operators.

use std::collections::BTreeMap;

use store::Level;
use verdict::UnixTime;

use crate::telemetry::revocations as metrics;

/// Seconds by which ends are put together.
const SPAN: u64 = 64;

type PerLevel = [u64; Level::ALL.len()];

/// Counts by level, and by when they end: nothing is kept of each revocation.
#[derive(Debug, Default)]
pub(super) struct Counts {
    until_lifted: PerLevel,
    /// By the span in which they expire.
    passing: BTreeMap<u64, PerLevel>,
}

impl Counts {
    /// One more is revoked.
    pub(super) fn add(&mut self, level: Level, expires_at: Option<u64>) {
        *self.place(level, expires_at) += 1;
    }

    /// One was taken back.
    pub(super) fn remove(&mut self, level: Level, expires_at: Option<u64>) {
        let place = self.place(level, expires_at);
        *place = place.saturating_sub(1);
    }

    /// Forgets what has expired, and shows what is left.
    pub(super) fn show(&mut self, now: UnixTime) {
        self.passing = self.passing.split_off(&(now.0 / SPAN));
        for level in Level::ALL {
            let index = level as usize;
            let passing: u64 = self.passing.values().map(|counts| counts[index]).sum();
            metrics::live_are(level.name(), self.until_lifted[index] + passing);
        }
    }

    fn place(&mut self, level: Level, expires_at: Option<u64>) -> &mut u64 {
        let counts = match expires_at {
            None => &mut self.until_lifted,
            Some(at) => self.passing.entry(at / SPAN).or_default(),
        };
        &mut counts[level as usize]
    }
}
