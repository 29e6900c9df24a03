//! The one place that prints.

use std::{
    fmt::Display,
    fs::{self, File},
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
};

use anstyle::{AnsiColor, Style};

/// Prints a command's result. Nobody to read it is no error: `writ ... | head` is fine.
pub(super) fn result(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints a result for people, which may hold styles: they are left out unless standard output is a terminal that
/// knows colour and nobody said otherwise, as by `NO_COLOR`.
pub(super) fn styled(text: &str) -> io::Result<()> {
    match writeln!(anstream::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// What came in or is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What went or is refused.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What changed or wants a look.
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default();
/// What to find first.
pub(super) const STRONG: Style = Style::new().bold();

/// `text` in a style.
pub(super) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
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

/// Prints what is beside a result, and is no part of it.
pub(super) fn note(text: &str) {
    error(&format!("note: {text}"));
}

/// Prints what went wrong.
pub(super) fn error(text: &str) {
    // There is nowhere left to report that standard error is gone; the exit code still tells.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
