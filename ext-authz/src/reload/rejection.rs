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

    /// The directory holds a generation that was published before `latest`.
    pub(super) fn behind(held: u64, latest: u64) -> Self {
        Self::new(&format_args!(
            "the policy directory holds generation {held}, and the store's later generation {latest} is served: \
             bring the directory up to date, or publish it again with `writ serve --republish-policy`"
        ))
    }

    /// The same, since `earlier` if that said the same.
    pub(super) fn since(self, earlier: Option<&Self>) -> Self {
        match earlier {
            Some(earlier) if earlier.says_what(&self) => earlier.clone(),
            _ => self,
        }
    }

    pub(super) fn says_what(&self, other: &Self) -> bool {
        (&self.errors, self.further_errors) == (&other.errors, other.further_errors)
    }

    /// Logs every error.
    pub(super) fn log(&self) {
        for error in &self.errors {
            tracing::error!("policy rejected: {error}");
        }
        if self.further_errors > 0 {
            tracing::error!(further_errors = self.further_errors, "policy rejected");
        }
    }
}
