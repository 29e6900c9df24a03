//! Values in words, for people.

use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use verdict::Grant;

/// Text that others chose, safe to print: a terminal obeys control characters, and text that runs backwards reads as
/// something else.
pub(super) struct Plain<'t>(pub(super) &'t str);

impl Display for Plain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            let reorders = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || reorders {
                write!(formatter, "{}", character.escape_unicode())
            } else {
                formatter.write_char(character)
            }
        })
    }
}

/// `2026-05-10T12:00:00Z`; the bare number where it is no date of this calendar.
pub(super) fn date(unix: u64) -> String {
    i64::try_from(unix)
        .ok()
        .and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| unix.to_string())
}

/// An instant and its distance from now: `2026-05-10T12:00:00Z, in 5 minutes`.
pub(super) fn instant(unix: u64, now: u64) -> String {
    format!("{}, {}", date(unix), distance(unix, now))
}

/// `in 5 minutes`, `3 days ago`, `now`.
pub(super) fn distance(unix: u64, now: u64) -> String {
    match (unix.checked_sub(now), now.checked_sub(unix)) {
        (Some(0), _) => "now".to_owned(),
        (Some(ahead), _) => format!("in {}", duration(ahead)),
        (None, Some(past)) => format!("{} ago", duration(past)),
        // One of them is positive.
        (None, None) => String::new(),
    }
}

/// The largest unit that fits, with the next one where it says more: `1 hour 30 minutes`.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        } else if !parts.is_empty() {
            break;
        }
        // Nobody plans by the second what lasts hours.
        if parts.len() == 2 || count >= 10 {
            break;
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// Columns as wide as their widest cell.
pub(super) struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    pub(super) fn new(heads: [&str; N]) -> Self {
        Self(vec![heads.map(str::to_owned)])
    }

    pub(super) fn push(&mut self, row: [String; N]) {
        self.0.push(row.map(|cell| Plain(&cell).to_string()));
    }

    /// A line for each row, the heads first.
    pub(super) fn lines(&self) -> Vec<String> {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = self.0.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        });
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.0.iter().map(line).collect()
    }
}

/// A grant, one thing a line: actions, resources, constraints, limits.
pub(super) fn grant_lines(grant: &Grant) -> Vec<String> {
    let Grant { kind: _, id, actions, resources, constraints, limits } = grant;
    let mut lines = vec![join(actions), format!("on {}", join(resources))];
    for (name, predicates) in constraints {
        // As grants are written: nothing is shorter, and nothing else can be copied.
        let predicates = serde_json::to_string(predicates).unwrap_or_default();
        lines.push(format!("where {name} {predicates}"));
    }
    if let Some(limits) = limits {
        lines.push(match limits.uses.get() {
            1 => "once".to_owned(),
            uses => format!("at most {uses} times"),
        });
    }
    lines.extend(id.clone().map(|id| format!("named {}", String::from(id))));
    lines
}

fn join(patterns: &[impl Serialize]) -> String {
    let text = |pattern| match serde_json::to_value(pattern) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    };
    patterns.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (90, "1 minute 30 seconds"),
            (299, "4 minutes 59 seconds"),
            (3600, "1 hour"),
            (5400, "1 hour 30 minutes"),
            (3601, "1 hour"),
            (600, "10 minutes"),
            (90_000, "1 day 1 hour"),
            (86_400 * 30, "30 days"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn instants_say_on_which_side_of_now_they_lie() {
        assert_eq!(instant(1_778_414_400, 1_778_414_100), "2026-05-10T12:00:00Z, in 5 minutes");
        assert_eq!(distance(100, 160), "1 minute ago");
        assert_eq!(distance(5, 5), "now");
        assert_eq!(date(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn a_limit_of_one_is_once() {
        let lines = |uses: u32| {
            let json = format!(
                r#"[{{"type":"task_grant","actions":["f:a"],"resources":["f://a"],"limits":{{"uses":{uses}}}}}]"#
            );
            grant_lines(&Grant::parse_list(json.as_bytes()).unwrap()[0])
        };
        assert_eq!((lines(1)[2].as_str(), lines(2)[2].as_str()), ("once", "at most 2 times"));
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(Plain("a\u{1b}[31m\u{202e}é").to_string(), "a\\u{1b}[31m\\u{202e}é");
    }
}
