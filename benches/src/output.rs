//! The two places that write to the terminal.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Results.
pub(crate) fn result(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// What a measurement is doing, for whoever waits.
pub(crate) fn progress(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Why there is no result.
pub(crate) fn problem(error: &impl Display) {
    let _ = writeln!(io::stderr(), "error: {error}");
}
