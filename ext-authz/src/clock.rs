//! The one clock: verdicts and issuing get their time from here.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use verdict::UnixTime;

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The second it lies in.
    #[must_use]
    pub fn seconds(self) -> UnixTime {
        UnixTime(self.0 / 1000)
    }
}

/// A past instant, by the clock on the wall and by one that nobody sets.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    wall: UnixMillis,
    monotonic: Instant,
}

impl Moment {
    /// This instant.
    #[must_use]
    pub fn now() -> Self {
        Self::read_as(now_millis())
    }

    /// This instant, which the clock on the wall tells as `wall`.
    #[must_use]
    pub(crate) fn read_as(wall: UnixMillis) -> Self {
        Self { wall, monotonic: Instant::now() }
    }

    /// When it was, as far as both clocks agree that it is so long ago: neither a clock on the wall that was ahead and
    /// was set back, nor one that stands still while the machine sleeps, makes it younger.
    #[must_use]
    pub fn at_latest(self) -> UnixMillis {
        let elapsed = u64::try_from(self.monotonic.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.wall.min(UnixMillis(now_millis().0.saturating_sub(elapsed)))
    }
}

/// The current second. A clock before 1970 reads as 1970: every token then lies in the future and is refused.
#[must_use]
pub fn now() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}

/// The current millisecond; as [`now`] else.
#[must_use]
pub fn now_millis() -> UnixMillis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    UnixMillis(u64::try_from(elapsed).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_ahead_makes_nothing_younger() {
        let ahead = Moment::read_as(UnixMillis(now_millis().0 + 3_600_000));
        assert!(ahead.at_latest() <= now_millis());
        let behind = Moment::read_as(UnixMillis(7000));
        assert_eq!(behind.at_latest(), UnixMillis(7000));
        let before = now_millis();
        assert!(Moment::now().at_latest().0 + 1 >= before.0);
    }
}
