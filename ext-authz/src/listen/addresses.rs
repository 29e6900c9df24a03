//! Where the server listens, for those who chose port 0.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};

/// The file in the data directory that lists the addresses while a server runs there.
pub const LISTENERS: &str = "listeners.json";

/// The addresses that were bound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// OAuth and task API.
    pub http: SocketAddr,
    /// `Check`, health, reflection.
    pub grpc: SocketAddr,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// The Unix socket of data planes.
    pub data_plane: PathBuf,
    /// The Unix socket of operators.
    pub operator: PathBuf,
}

/// The file that lists the addresses. It goes when this value does: nobody listens there any more.
#[derive(Debug)]
pub struct PublishedAddresses(PathBuf);

impl Addresses {
    /// Reads `path`; `None` if nobody listens there.
    ///
    /// # Errors
    /// The file cannot be read, or is no such list.
    pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let text = files::read_if_present(path)?;
        let read = |text: Vec<u8>| serde_json::from_slice(&text);
        text.map(read).transpose().map_err(|error| FileError::new("read", path, error.into()))
    }

    /// Writes `path`. Whoever finds the file finds all listeners bound.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, path: &Path) -> Result<PublishedAddresses, FileError> {
        let text = serde_json::to_vec(self).map_err(|error| FileError::new("write", path, error.into()))?;
        files::write_atomically(path, &text, files::PUBLIC)?;
        Ok(PublishedAddresses(path.to_owned()))
    }
}

impl Drop for PublishedAddresses {
    fn drop(&mut self) {
        // Best effort: the next start replaces it.
        let _ = fs::remove_file(&self.0);
    }
}
