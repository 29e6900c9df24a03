//! The one clock: verdicts and issuing get their time from here.

use std::time::{SystemTime, UNIX_EPOCH};

use verdict::UnixTime;

/// The current second. A clock before 1970 reads as 1970: every token then lies in the future and is refused.
#[must_use]
pub fn now() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}
