//! Where the server listens, for those who chose port 0.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::files::{self, FileError};

/// The addresses that were bound.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// OAuth and task API.
    pub http: SocketAddr,
    /// `Check`, health, reflection.
    pub grpc: SocketAddr,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// The Unix socket of data planes.
    pub data_plane: PathBuf,
}

/// The file that lists the addresses. It goes when this value does: nobody listens there any more.
#[derive(Debug)]
pub struct PublishedAddresses(PathBuf);

impl Addresses {
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
