//! How fresh what is held is, by the clocks of others. All times are Unix milliseconds.

use std::cell::Cell;

use thiserror::Error;
use verdict::UnixTime;

/// So far a sender's clock may be ahead of this proxy's.
pub const TOLERANCE: u64 = 5_000;

/// When the document in force was the newest, as far as is known.
#[derive(Debug, Default)]
pub struct AsOf {
    /// The latest that was said.
    said: Cell<u64>,
    /// What counts of it: never in the future, and never later because time has passed.
    counts: Cell<u64>,
}

/// A sender claims to have read its store in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the clocks differ: the server has read its store at {said} (Unix ms), and here it is {now}; \
     what is held becomes stale"
)]
pub struct Ahead {
    said: u64,
    now: u64,
}

impl AsOf {
    /// Another document is in force.
    pub fn reset(&self) {
        self.said.set(0);
        self.counts.set(0);
    }

    /// A sender says that the document in force was the newest at `said`. Of several senders the one counts that has
    /// read the store last. One that says the same again has not read it since, and keeps nothing fresh, even if its
    /// clock is ahead.
    ///
    /// # Errors
    /// `said` is too far ahead, and counts for nothing.
    pub fn refresh(&self, said: u64, now: u64) -> Result<(), Ahead> {
        // A clock that was set back must not prolong it.
        self.counts.set(self.counts.get().min(now));
        if said > now.saturating_add(TOLERANCE) {
            return Err(Ahead { said, now });
        }
        if said > self.said.get() {
            self.said.set(said);
            self.counts.set(self.counts.get().max(said.min(now)));
        }
        Ok(())
    }

    /// What counts.
    pub fn get(&self) -> UnixTime {
        UnixTime(self.counts.get() / 1_000)
    }
}
