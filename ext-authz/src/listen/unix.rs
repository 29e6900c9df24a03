//! Unix sockets of data planes and operators. The mode is their proof, so there is no moment at which it is wider.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::{Path, PathBuf, absolute},
};

use thiserror::Error;
use tokio::net::{UnixListener, UnixSocket};

use super::bind::BACKLOG;
use crate::files::{self, FileError};

/// A socket that only this user may open, where connections are refused for now.
#[derive(Debug)]
pub struct BoundSocket {
    socket: UnixSocket,
    file: PrivateSocket,
}

/// The file of a socket. It goes when this value does.
#[derive(Debug)]
pub struct PrivateSocket {
    path: PathBuf,
}

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// A file operation.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system did not bind it; often because the path is over 107 bytes.
    #[error("cannot listen on `{}`: {source}", path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process answers there.
    #[error("`{}` is in use: is another server running on this data directory?", .0.display())]
    InUse(PathBuf),
    /// Something is there that is no socket. It is not ours to remove.
    #[error("`{}` exists and is no socket", .0.display())]
    NotASocket(PathBuf),
}

impl BoundSocket {
    /// Takes `path`, in place of a socket that a crashed server left there.
    ///
    /// The socket is bound in a directory of its own that nobody else may enter, gets its mode there, and is
    /// then moved to `path`.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        refuse_occupied(path)?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Short names: a socket's path has at most 107 bytes.
        let private = directory.join(format!(".s{}", std::process::id()));
        let _ = fs::remove_dir_all(&private);
        files::make_private_directory(&private)?;
        let socket = bind_and_move(&private.join("s"), path);
        // Empty after the move; after an error it holds nothing anyone needs.
        let _ = fs::remove_dir_all(&private);
        let socket = socket?;
        let path = absolute(path).map_err(|error| FileError::new("find", path, error))?;
        Ok(Self { socket, file: PrivateSocket { path } })
    }

    /// From now on connections are accepted.
    ///
    /// # Errors
    /// The operating system does not.
    pub fn listen(self) -> Result<(UnixListener, PrivateSocket), SocketError> {
        let Self { socket, file } = self;
        let bind = |source| SocketError::Bind { path: file.path.clone(), source };
        let listener = socket.listen(BACKLOG).map_err(bind)?;
        Ok((listener, file))
    }
}

impl PrivateSocket {
    /// Where it is, whatever the current directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn bind_and_move(draft: &Path, path: &Path) -> Result<UnixSocket, SocketError> {
    let bind = |source| SocketError::Bind { path: path.to_owned(), source };
    let socket = UnixSocket::new_stream().map_err(bind)?;
    socket.bind(draft).map_err(bind)?;
    fs::set_permissions(draft, Permissions::from_mode(files::SECRET))
        .and_then(|()| fs::rename(draft, path))
        .map_err(bind)?;
    Ok(socket)
}

fn refuse_occupied(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::new("look at", path, error).into()),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(SocketError::NotASocket(path.to_owned())),
        // A socket file outlives its process; only one that answers is in use.
        Ok(_) if UnixStream::connect(path).is_ok() => Err(SocketError::InUse(path.to_owned())),
        Ok(_) => Ok(()),
    }
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        // Best effort: what stays behind is replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}
