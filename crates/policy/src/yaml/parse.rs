//! From text to tree.

use serde_saphyr::{Error, UserMessageFormatter, budget::BudgetBreach};

use super::{
    limits,
    node::{Node, Position},
    raw::{self, Raw},
};
use crate::report::{Report, Reported};

/// Reads one file.
///
/// # Errors
/// One error is recorded: what is not YAML cannot be read past its first fault.
pub(crate) fn parse(file: &str, text: &str, report: &mut Report) -> Result<Node, Reported> {
    if text.len() > limits::MAX_FILE_BYTES {
        return Err(report.whole_file(file, limits::too_large()));
    }
    match serde_saphyr::from_str_with_options::<Raw>(text, limits::options()) {
        Ok(raw) => Ok(raw.into_node(text)),
        Err(error) => {
            let error = error.without_snippet();
            let position = error.location().map_or(Position::UNKNOWN, raw::position);
            Err(report.record(file, position, "", reason(error, position)))
        }
    }
}

/// The parser's words, except where they are about the parser instead of the file.
fn reason(error: &Error, position: Position) -> String {
    match error {
        Error::AliasError { error, .. } => reason(error, position),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "aliases stand for too many values".to_owned(),
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "a policy file is one YAML document".to_owned()
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => "nested too deeply".to_owned(),
        Error::Budget { .. } => "too many values or aliases for one file".to_owned(),
        _ => {
            let message = error.render_with_formatter(&UserMessageFormatter);
            // The position has fields of its own.
            let place = format!(" at line {}, column {}", position.line, position.column);
            message.strip_suffix(&place).unwrap_or(&message).to_owned()
        }
    }
}
