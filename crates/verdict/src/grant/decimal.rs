//! Exact decimals: money and limits are compared as written, never through binary floating point.

use alloc::{boxed::Box, string::String};
use core::{cmp::Ordering, fmt, str::FromStr};

use thiserror::Error;

use super::held::allocation;

/// Longest decimal read, in characters.
const MAX_LENGTH: usize = 64;

/// A number in the grammar `-?(0|[1-9]\d*)(\.\d+)?`, kept in its one shortest form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Never set for zero.
    negative: bool,
    /// Digits before the point, without leading zeros; `0` alone for none.
    integer: Box<str>,
    /// Digits after the point, without trailing zeros.
    fraction: Box<str>,
}

/// Text that is not a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a plain decimal number of at most 64 characters")]
pub struct DecimalError;

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        if text.len() > MAX_LENGTH {
            return Err(DecimalError);
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (integer, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(DecimalError),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        if integer.is_empty() || leading_zero || !all_digits(integer) || !all_digits(fraction) {
            return Err(DecimalError);
        }
        let fraction = fraction.trim_end_matches('0');
        let zero = integer == "0" && fraction.is_empty();
        Ok(Self { negative: negative && !zero, integer: integer.into(), fraction: fraction.into() })
    }
}

impl Decimal {
    /// Bytes that this number holds beside itself.
    pub(super) fn held_bytes(&self) -> usize {
        let Self { negative: _, integer, fraction } = self;
        allocation(integer.len()).saturating_add(allocation(fraction.len()))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude_cmp(other),
            (true, true) => other.magnitude_cmp(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Decimal {
    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        // Without leading zeros the longer integer part is the larger; without trailing zeros the digits
        // after the point compare like text.
        (self.integer.len().cmp(&other.integer.len()))
            .then_with(|| self.integer.cmp(&other.integer))
            .then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.integer.len() + self.fraction.len() + 2);
        if self.negative {
            text.push('-');
        }
        text.push_str(&self.integer);
        if !self.fraction.is_empty() {
            text.push('.');
            text.push_str(&self.fraction);
        }
        formatter.write_str(&text)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn one_value_has_one_form() {
        assert_eq!(decimal("1.0"), decimal("1"));
        assert_eq!(decimal("-0.00"), decimal("0"));
        assert_ne!(decimal("9007199254740993"), decimal("9007199254740992"));
    }

    #[test]
    fn order_is_exact() {
        let ascending = ["-10", "-9.5", "-0.1", "0", "0.09", "0.1", "9", "10", "10.01", "9007199254740993"];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn other_grammars_are_refused() {
        for text in
            ["", "-", "+1", "01", "1.", ".1", "1e3", "0x1", " 1", "1 ", "1,0", "NaN", "١", "--1", "1.-1"]
        {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError), "{text:?}");
        }
        assert!("1".repeat(65).parse::<Decimal>().is_err());
    }
}
