//! Collecting errors while compilation goes on.

use crate::{
    error::{PolicyError, PolicyErrors},
    yaml::{Field, Position},
};

/// Errors of one directory that are kept: past this many, repairing some and loading again is no worse.
const MAX_ERRORS: usize = 1_000;
/// Characters of one reason or path that are kept. Both may quote the file.
const MAX_CHARACTERS: usize = 512;

/// Proof that an error was recorded.
///
/// Only a [`Report`] makes one, so a value that could not be read is never silently left out of the policy: where
/// there is no value, the compilation as a whole has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported(());

/// The errors found so far.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<PolicyError>);

impl Report {
    /// Records what is wrong with the value of `field`.
    pub(crate) fn at(&mut self, field: &Field<'_>, reason: impl Into<String>) -> Reported {
        self.record(field.file(), field.position(), field.path(), reason)
    }

    /// Records what is wrong at a place that has no value of its own, such as a key.
    pub(crate) fn record(
        &mut self,
        file: &str,
        position: Position,
        path: &str,
        reason: impl Into<String>,
    ) -> Reported {
        if self.0.len() < MAX_ERRORS {
            self.0.push(PolicyError {
                file: file.to_owned(),
                line: position.line,
                column: position.column,
                field: shortened(path),
                reason: shortened(&reason.into()),
            });
        }
        Reported(())
    }

    /// Records what is wrong with a file or directory as a whole.
    pub(crate) fn whole_file(&mut self, file: &str, reason: impl Into<String>) -> Reported {
        self.record(file, Position::UNKNOWN, "", reason)
    }

    /// `value` if nothing went wrong, else every error in order.
    ///
    /// # Errors
    /// What was recorded.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, PolicyErrors> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort();
        self.0.dedup();
        Err(PolicyErrors(self.0))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
