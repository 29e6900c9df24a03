//! An edit that did not take effect, as it is shown.

use std::fmt::Display;

use serde::Serialize;

use crate::clock;

/// Errors that are shown and logged. Repairing these and trying again is no worse than reading more of them.
const SHOWN: usize = 20;

/// What the policy directory holds is not what counts, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Since when, Unix seconds.
    since: u64,
    /// What is wrong, with file, line, column and field.
    errors: Vec<String>,
    /// How many more errors there are.
    further_errors: usize,
}

impl Rejection {
    /// `errors` has one error a line.
    pub(super) fn new(errors: &dyn Display) -> Self {
        let text = errors.to_string();
        let mut lines = text.lines().map(str::to_owned);
        let errors = lines.by_ref().take(SHOWN).collect();
        Self { since: clock::now().0, errors, further_errors: lines.count() }
    }

    /// Logs every error, once for each edit.
    pub(super) fn log(&self) {
        for error in &self.errors {
            tracing::error!("policy rejected: {error}");
        }
        if self.further_errors > 0 {
            tracing::error!(further_errors = self.further_errors, "policy rejected");
        }
    }
}
