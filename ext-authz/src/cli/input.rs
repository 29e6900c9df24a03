//! What is read for a command: files, and standard input where `-` is written for a file.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read},
    path::Path,
};

use super::exit::Failure;

/// Longest input: whatever a command reads is far smaller.
const MAX: u64 = 16 * 1024 * 1024;

/// Reads all of `path`. `what` names it to a person who is expected to type it.
pub(super) fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let (name, content) = if path == Path::new("-") {
        let input = io::stdin();
        if input.is_terminal() {
            super::output::error(&format!("reading {what} from standard input; Ctrl-D ends it"));
        }
        ("standard input".to_owned(), bounded(input.lock()))
    } else {
        (format!("`{}`", path.display()), File::open(path).and_then(bounded))
    };
    content.map_err(|error| Failure::failed(&format!("cannot read {name}: {error}")))
}

/// As [`read`], for text; without white space around it.
pub(super) fn read_text(path: &Path, what: &str) -> Result<String, Failure> {
    let content = read(path, what)?;
    match String::from_utf8(content) {
        Ok(text) => Ok(text.trim().to_owned()),
        // Without the bytes: they may be a secret.
        Err(_) => Err(Failure::failed(&format!("{what}: not UTF-8"))),
    }
}

fn bounded(input: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    input.take(MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX {
        return Err(io::Error::other(format!("over {MAX} bytes")));
    }
    Ok(content)
}
