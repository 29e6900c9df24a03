//! Files that are whole or absent, and private where they hold secrets.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use thiserror::Error;

/// A file or directory that cannot be read or written.
#[derive(Debug, Error)]
#[error("cannot {action} `{}`: {source}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    /// `action` completes "cannot ...".
    pub fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }

    /// What the operating system said.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Mode of a file that holds a secret.
pub const SECRET: u32 = 0o600;
/// Mode of a file that anyone may read.
pub const PUBLIC: u32 = 0o644;

/// Makes `directory` and its parents, for its owner alone. One that exists keeps its mode.
///
/// # Errors
/// It cannot be made.
pub fn make_private_directory(directory: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| FileError::new("make directory", directory, error))
}

/// Whether others than the owner may use `path`.
#[must_use]
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| is_shared(&metadata))
}

/// A file of root's may be readable by its group, as long as this process is not root: so does a cluster manager hand a
/// secret to one process, which PostgreSQL takes in the same way.
fn is_shared(metadata: &Metadata) -> bool {
    let given_by_root = metadata.uid() == 0 && !geteuid().is_root();
    let private = if given_by_root { 0o037 } else { 0o077 };
    metadata.permissions().mode() & private != 0
}

/// Reads a secret. One that others could have read is a secret no longer.
///
/// # Errors
/// It cannot be read, or others than its owner may use it.
pub fn read_secret(path: &Path) -> Result<Vec<u8>, FileError> {
    read_secret_up_to(path, usize::MAX)
}

/// Reads so many bytes of a secret.
///
/// # Errors
/// As [`read_secret`].
pub fn read_secret_up_to(path: &Path, most: usize) -> Result<Vec<u8>, FileError> {
    let read = || {
        let file = File::open(path)?;
        // Of the file that is read: its name could lead elsewhere by now.
        let metadata = file.metadata()?;
        if is_shared(&metadata) {
            let mode = metadata.permissions().mode() & 0o777;
            return Err(io::Error::other(format!(
                "its mode {mode:o} lets others use it: make it 600, and replace it if others could read it"
            )));
        }
        let mut content = Vec::new();
        file.take(most as u64).read_to_end(&mut content)?;
        Ok(content)
    };
    read().map_err(|error| FileError::new("read", path, error))
}

/// Replaces `path` by `content` in one step that survives a crash: readers see the old file or the new one.
///
/// # Errors
/// The directory is missing or not writable.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<(), FileError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = directory.join(format!(".{name}.{}", uuid::Uuid::now_v7().simple()));
    let written = write_draft(&draft, content, mode)
        .and_then(|()| fs::rename(&draft, path))
        // The rename itself is on disk only once its directory is.
        .and_then(|()| File::open(directory)?.sync_all());
    written.map_err(|error| {
        // Best effort: the draft is of no use, and its removal cannot be reported beside the first error.
        let _ = fs::remove_file(&draft);
        FileError::new("write", path, error)
    })
}

fn write_draft(draft: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // The mode is set when the file is made: there is no moment at which others could open it.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a file that may be absent.
///
/// # Errors
/// It is there and cannot be read.
pub fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::new("read", path, error)),
    }
}
