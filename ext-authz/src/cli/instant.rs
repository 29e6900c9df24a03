//! Instants as people type them.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::clock;

/// A date, or so long ago: Unix milliseconds.
pub(super) fn millis(text: &str) -> Result<u64, String> {
    if let Ok(ago) = policy::duration::parse(text) {
        return Ok(before_now(ago));
    }
    let date = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "neither a date such as `2026-05-10T12:00:00Z` nor a duration such as `15m`")?;
    u64::try_from(date.unix_timestamp_nanos() / 1_000_000).map_err(|_| "lies before 1970".to_owned())
}

/// The same, or a Unix second: Unix seconds.
pub(super) fn second(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(second) => Ok(second),
        Err(_) => millis(text).map(|millis| millis / 1000),
    }
}

/// So long ago, Unix milliseconds.
pub(super) fn before_now(ago: Duration) -> u64 {
    clock::now_millis().0.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_date_or_so_long_ago() {
        assert_eq!(millis("1970-01-01T00:00:01.5Z"), Ok(1500));
        assert_eq!(millis("1970-01-01T01:00:00+01:00"), Ok(0));
        let hour = millis("1h").unwrap();
        assert!(hour.abs_diff(clock::now_millis().0 - 3_600_000) < 60_000);
        for text in ["", "yesterday", "1969-12-31T23:59:59Z", "2026-05-10"] {
            assert!(millis(text).is_err() && second(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_second_can_be_a_number() {
        assert_eq!(second("1778371200"), Ok(1_778_371_200));
        assert_eq!(second("2026-05-10T02:00:00.9+02:00"), Ok(1_778_371_200));
        assert!(second("-1").is_err());
    }
}
