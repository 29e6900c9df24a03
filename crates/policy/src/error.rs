//! What is wrong with a policy, and where.
//!
//! A policy is compiled whole or not at all, so every error of every file is reported at once: an operator who
//! repairs one line should not have to reload to learn of the next.

use std::fmt::{self, Write};

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
    /// `file:line:column: field: reason` on one line, whatever names a file chose: a key with a line break in it
    /// must not be able to write log lines of its own.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, field, reason } = self;
        write_line(formatter, file)?;
        if *line > 0 {
            write!(formatter, ":{line}:{column}")?;
        }
        for part in [field, reason] {
            if !part.is_empty() {
                formatter.write_str(": ")?;
                write_line(formatter, part)?;
            }
        }
        Ok(())
    }
}

/// Writes `text` with control characters escaped.
fn write_line(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| {
        if character.is_control() {
            write!(formatter, "{}", character.escape_default())
        } else {
            formatter.write_char(character)
        }
    })
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
