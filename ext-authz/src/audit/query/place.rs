//! Where a page ended.

use std::str::FromStr;

use serde::Deserialize;
use store::AuditPlace;

/// A line of the log in the order of time: what `after` takes and `next` says. Opaque to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Place {
    pub(super) batch: AuditPlace,
    /// Lines of that batch that have been looked at.
    pub(super) lines: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { batch: AuditPlace { sealed_at, writer, seq }, lines } = self;
        // A writer's name may hold dots: it goes last.
        write!(formatter, "{sealed_at}.{seq}.{lines}.{writer}")
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "is no place: use what `next` said";
        let mut parts = text.splitn(4, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(FORM);
        let (sealed_at, seq, lines) = (number()?, number()?, number()?);
        let writer = parts.next().ok_or(FORM)?.to_owned();
        Ok(Self { batch: AuditPlace { sealed_at, writer, seq }, lines })
    }
}

impl TryFrom<String> for Place {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_as_it_was() {
        let batch = AuditPlace { sealed_at: 1, writer: "a.b.0.".into(), seq: 7 };
        let place = Place { batch, lines: 3 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "1", "1.2.3", "a.1.2.w", "-1.1.1.w", "1.1.18446744073709551616.w"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
