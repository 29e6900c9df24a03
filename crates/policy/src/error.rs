//! What is wrong with a policy, and where.
//!
//! A policy is compiled whole or not at all, so every error of every file is reported at once: an operator who
//! repairs one line should not have to reload to learn of the next.

use std::fmt;

/// One thing that is wrong in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyError {
    /// The file as it was named when it was loaded, or the directory.
    pub file: String,
    /// Line, counted from 1; 0 when the error is about the file as a whole.
    pub line: u32,
    /// Column in characters, counted from 1; 0 when the error is about the file as a whole.
    pub column: u32,
    /// The way to the value, such as `routes[0].rules[2].path`; empty at the root of a file.
    pub field: String,
    /// What is wrong. Never holds a secret.
    pub reason: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if self.line > 0 {
            write!(formatter, ":{}:{}", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(formatter, ": {}", self.field)?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

impl std::error::Error for PolicyError {}

/// Every error of a policy directory, by file, line and column; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl PolicyErrors {
    /// The errors in the order in which they are displayed.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyError> {
        self.0.iter()
    }
}

impl fmt::Display for PolicyErrors {
    /// One error a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            error.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}
