//! The one clock: verdicts and issuing get their time from here.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

    /// Before everything: nothing was read yet.
    #[must_use]
    pub fn never() -> Self {
        Self::read_as(UnixMillis(0))
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

/// Seconds by which what has ended is forgotten: never ahead of a clock that nobody sets, so that one on the wall which
/// jumps ahead for a while loses nothing. One that stays there was right all along, and is believed in the end.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    wall: UnixTime,
    at: Instant,
    ahead_since: Option<Instant>,
}

/// How long a clock on the wall must have been ahead to be believed.
const BELIEVED_AFTER: Duration = Duration::from_secs(3600);

impl Steady {
    /// Begins with what the clock on the wall says.
    #[must_use]
    pub fn begin() -> Self {
        Self::read_as(now(), Instant::now())
    }

    /// The current second, or one before.
    pub fn now(&mut self) -> UnixTime {
        self.at(now(), Instant::now())
    }

    fn read_as(wall: UnixTime, at: Instant) -> Self {
        Self { wall, at, ahead_since: None }
    }

    fn at(&mut self, wall: UnixTime, at: Instant) -> UnixTime {
        let steady = self.wall.plus(at.duration_since(self.at).as_secs());
        if wall <= steady {
            self.ahead_since = None;
            return wall;
        }
        let since = *self.ahead_since.get_or_insert(at);
        if at.duration_since(since) < BELIEVED_AFTER {
            return steady;
        }
        *self = Self::read_as(wall, at);
        wall
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
    fn a_clock_that_jumps_ahead_is_not_followed_at_once() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut steady = Steady::read_as(UnixTime(1000), begun);
        assert_eq!(steady.at(UnixTime(1010), after(10)), UnixTime(1010));
        assert_eq!(steady.at(UnixTime(99_000), after(20)), UnixTime(1020));
        assert_eq!(steady.at(UnixTime(99_060), after(80)), UnixTime(1080));
        // It was set right, and back, and right.
        assert_eq!(steady.at(UnixTime(1090), after(90)), UnixTime(1090));
        assert_eq!(steady.at(UnixTime(5), after(95)), UnixTime(5));
        assert_eq!(steady.at(UnixTime(1100), after(100)), UnixTime(1100));
        // It had been behind, and is right from here on.
        assert_eq!(steady.at(UnixTime(50_000), after(200)), UnixTime(1200));
        assert_eq!(steady.at(UnixTime(53_599), after(3799)), UnixTime(4799));
        assert_eq!(steady.at(UnixTime(53_600), after(3800)), UnixTime(53_600));
        assert_eq!(steady.at(UnixTime(53_700), after(3900)), UnixTime(53_700));
        assert!(Steady::begin().now() <= now());
    }

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
