//! Durations as operators write them.

use std::time::Duration;

use thiserror::Error;

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// Not a whole number followed by one unit.
    #[error("a duration is a whole number and a unit, such as `90s`, `15m`, `1h` or `7d`")]
    Grammar,
    /// `0s`: a time that is over before it starts.
    #[error("a duration must not be zero")]
    Zero,
    /// More seconds than fit.
    #[error("the duration is too long")]
    TooLong,
}

/// Reads `90s`, `15m`, `1h` or `7d`: one whole number without leading zero, one unit, nothing else.
///
/// # Errors
/// Any other text, zero, or a duration of more seconds than a `u64` holds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut characters = text.chars();
    let seconds_per_unit = match characters.next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(DurationError::Grammar),
    };
    let digits = characters.as_str();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::Grammar);
    }
    if digits.bytes().all(|byte| byte == b'0') {
        return Err(DurationError::Zero);
    }
    if digits.starts_with('0') {
        return Err(DurationError::Grammar);
    }
    let number: u64 = digits.parse().map_err(|_| DurationError::TooLong)?;
    number.checked_mul(seconds_per_unit).map(Duration::from_secs).ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        use DurationError::{Grammar, TooLong, Zero};
        for (text, error) in [
            ("", Grammar),
            ("s", Grammar),
            ("15", Grammar),
            ("15 m", Grammar),
            ("1h30m", Grammar),
            ("1.5h", Grammar),
            ("-1s", Grammar),
            ("+1s", Grammar),
            ("015m", Grammar),
            ("15M", Grammar),
            ("15ms", Grammar),
            ("１５m", Grammar),
            ("15µ", Grammar),
            ("0s", Zero),
            ("00h", Zero),
            ("18446744073709551616s", TooLong),
            ("18446744073709551615m", TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
    }
}
