//! The one place that prints.

use std::io::{self, Write as _};

/// Prints a command's result. Nobody to read it is no error: `writ ... | head` is fine.
pub(super) fn result(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints what went wrong.
pub(super) fn error(text: &str) {
    // There is nowhere left to report that standard error is gone; the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
