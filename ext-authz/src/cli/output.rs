//! The one place that prints.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
};

/// Prints a command's result. Nobody to read it is no error: `writ ... | head` is fine.
pub(super) fn result(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints what exists nowhere else: here it is an error that nobody can read it.
pub(super) fn vital(text: &str) -> io::Result<()> {
    if is_discarded()? {
        return Err(io::Error::other("it is closed or `/dev/null`"));
    }
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}

/// Whether standard output is the null device: so it is as well where the process was started without any, because
/// the runtime opens the null device in its place.
fn is_discarded() -> io::Result<bool> {
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()?;
    Ok(fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == output.rdev()))
}

/// Prints what went wrong.
pub(super) fn error(text: &str) {
    // There is nowhere left to report that standard error is gone; the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
