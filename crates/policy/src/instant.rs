//! Instants as operators write them.

use thiserror::Error;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A text that is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "an instant is a date such as `2026-05-10`, meaning its start in UTC, or RFC 3339 such as `2026-05-10T08:00:00Z`"
)]
pub(crate) struct InstantError;

/// Reads an RFC 3339 instant or a date, to Unix seconds.
///
/// # Errors
/// Any other text, a date that does not exist, or an instant before 1970.
pub(crate) fn parse(text: &str) -> Result<u64, InstantError> {
    const DATE: usize = "2026-05-10".len();

    let instant = if text.len() == DATE { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let instant = OffsetDateTime::parse(&instant, &Rfc3339).map_err(|_| InstantError)?;
    u64::try_from(instant.unix_timestamp()).map_err(|_| InstantError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_start_in_utc() {
        assert_eq!(parse("2026-05-10"), Ok(1_778_371_200));
        assert_eq!(parse("2026-05-10T00:00:00Z"), Ok(1_778_371_200));
        assert_eq!(parse("2026-05-10T02:00:00+02:00"), Ok(1_778_371_200));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "tomorrow", "2026-02-30", "2026-5-1", "20260510", "2026-05-10T00:00:00", "1969-12-31"]
        {
            assert_eq!(parse(text), Err(InstantError), "{text:?}");
        }
    }
}
