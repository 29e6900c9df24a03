//! The key of the audit log's heads: made once, kept with the signing keys.

use std::{
    io,
    path::{Path, PathBuf},
};

use audit::ChainKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

use crate::files::{self, FileError};

/// The key. Whoever has it can make an audit log that verifies.
#[derive(Clone, Debug)]
pub struct AuditKeyFile(ChainKey);

/// Why there is no key.
#[derive(Debug, Error)]
pub enum AuditKeyError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("`{}`: not base64url of 32 bytes", .0.display())]
    Content(PathBuf),
    /// The system's random numbers.
    #[error("cannot make a key: no random numbers")]
    Random,
}

/// Its name beside the signing keys.
const FILE: &str = "audit.key";

impl AuditKeyFile {
    /// Reads the key in `keys_dir`, or makes one.
    ///
    /// # Errors
    /// See [`AuditKeyError`].
    pub fn open_or_create(keys_dir: &Path) -> Result<Self, AuditKeyError> {
        let path = keys_dir.join(FILE);
        match files::read_secret(&path) {
            Ok(text) => Self::parse(&text).ok_or(AuditKeyError::Content(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(&path),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_ascii()).ok()?;
        Some(Self(ChainKey::from_bytes(bytes.try_into().ok()?)))
    }

    fn create(path: &Path) -> Result<Self, AuditKeyError> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| AuditKeyError::Random)?;
        files::write_atomically(path, URL_SAFE_NO_PAD.encode(bytes).as_bytes(), files::SECRET)?;
        Ok(Self(ChainKey::from_bytes(bytes)))
    }

    /// The key of chains.
    #[must_use]
    pub fn chain_key(&self) -> ChainKey {
        self.0.clone()
    }
}
