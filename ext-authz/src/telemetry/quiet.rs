//! Lines of the log that strangers could cause as often as they like.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;

/// Seconds between two such lines.
pub const QUIET: u64 = 10;

/// When such a line was written last, Unix seconds.
#[derive(Debug, Default)]
pub struct Quiet(AtomicU64);

impl Quiet {
    /// None was written yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether it is time for another one. Yes to one caller only.
    pub fn is_over(&self) -> bool {
        let now = clock::now().0;
        let last = self.0.load(Ordering::Relaxed);
        now >= last.saturating_add(QUIET)
            && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
