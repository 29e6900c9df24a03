//! YAML files other than policy, read strictly: what two parsers might understand differently is an error.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment, Track};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, UserMessageFormatter};

/// What is wrong with a text, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    /// From 1; 0 where there is no place.
    pub(crate) line: u64,
    /// As `line`.
    pub(crate) column: u64,
    /// With the member that it is about.
    pub(crate) reason: String,
}

/// Reads one document.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let mut track = Track::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |document| {
        T::deserialize(serde_path_to_error::Deserializer::new(document, &mut track))
    });
    read.map_err(|error| {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        let message = error.render_with_formatter(&UserMessageFormatter);
        let place = format!(" at line {line}, column {column}");
        let reason = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        let reason = match member(&track.path()).as_str() {
            "" => reason,
            member => format!("{member}: {reason}"),
        };
        Fault { line, column, reason }
    })
}

/// As operators would write it.
fn member(path: &Path) -> String {
    // A `Spanned` is a structure with its value in this member, and no file has one of this name.
    let written = path.iter().filter(|part| !matches!(part, Segment::Map { key } if key == "value"));
    let mut member = String::new();
    for part in written {
        let dot = if member.is_empty() || matches!(part, Segment::Seq { .. }) { "" } else { "." };
        member = format!("{member}{dot}{part}");
    }
    member
}

fn options() -> Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}
