//! How a command fails: what is shown, and the exit code.

use std::{fmt::Display, process::ExitCode};

use serde_json::json;

use super::output;
use crate::{config::ConfigError, server::ServerError};

/// The operation failed or was denied.
const FAILED: u8 = 1;
/// As for arguments that are no command's.
const WRONG_USAGE: u8 = 2;
/// What operators wrote is wrong (`EX_USAGE` of sysexits.h).
const BAD_CONFIGURATION: u8 = 64;

/// A command that was not done.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    /// One message a line; empty where all was said.
    message: String,
    json: bool,
}

impl Failure {
    pub(super) fn failed(message: &dyn Display) -> Self {
        Self { code: FAILED, message: message.to_string(), json: false }
    }

    /// What was typed cannot be meant.
    pub(super) fn usage(message: &dyn Display) -> Self {
        Self { code: WRONG_USAGE, message: message.to_string(), json: false }
    }

    pub(super) fn bad_configuration(message: &dyn Display) -> Self {
        Self { code: BAD_CONFIGURATION, message: message.to_string(), json: false }
    }

    /// A failure whose result was printed.
    pub(super) fn failed_as_shown() -> Self {
        Self { code: FAILED, message: String::new(), json: false }
    }

    /// A bad configuration whose errors were printed as the result.
    pub(super) fn bad_configuration_as_shown() -> Self {
        Self { code: BAD_CONFIGURATION, ..Self::failed_as_shown() }
    }

    /// The same failure, shown as JSON if `json`.
    pub(super) fn shown_as(self, json: bool) -> Self {
        Self { json, ..self }
    }

    /// Shows it.
    pub(super) fn report(self) -> ExitCode {
        let Self { code, message, json } = self;
        if message.is_empty() {
            return ExitCode::from(code);
        }
        if json {
            let errors: Vec<&str> = message.lines().collect();
            output::error(&json!({"errors": errors}).to_string());
        } else {
            for line in message.lines() {
                output::error(&format!("error: {line}"));
            }
        }
        ExitCode::from(code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::bad_configuration(&error)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        if error.is_configuration() { Self::bad_configuration(&error) } else { Self::failed(&error) }
    }
}
