//! YAML files other than policy, read strictly: what two parsers might understand differently is an error.

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, UserMessageFormatter};

/// What is wrong with a text, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    /// From 1; 0 where there is no place.
    pub(crate) line: u64,
    /// As `line`.
    pub(crate) column: u64,
    pub(crate) reason: String,
}

/// Reads one document.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        let message = error.render_with_formatter(&UserMessageFormatter);
        let place = format!(" at line {line}, column {column}");
        let reason = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        Fault { line, column, reason }
    })
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
