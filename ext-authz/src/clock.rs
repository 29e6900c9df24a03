//! The one clock: verdicts and issuing get their time from here.

use std::time::{SystemTime, UNIX_EPOCH};

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
