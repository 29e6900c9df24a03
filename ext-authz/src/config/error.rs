//! What is wrong with a configuration, and where.

use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;

/// Why a configuration cannot be used. The server does not start with a part of one.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what a `writ.yaml` is.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A member has a value that cannot be used.
    #[error("{origin}: {field}: {reason}")]
    Value {
        /// The file with line and column, or the command line.
        origin: String,
        /// The member.
        field: String,
        /// What is wrong with its value.
        reason: String,
    },
}
