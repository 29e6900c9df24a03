//! The key of revocation hashes: made once, kept with the signing keys.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use verdict::revocation::HashKey;

use crate::files::{self, FileError};

/// The key, and its wire form, base64url of 16 bytes. Data planes get it, strangers do not.
#[derive(Clone)]
pub struct HashKeyFile {
    text: String,
    key: HashKey,
}

/// Why there is no key.
#[derive(Debug, Error)]
pub enum HashKeyError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("`{}`: not base64url of 16 bytes", .0.display())]
    Content(PathBuf),
    /// The system's random numbers.
    #[error("cannot make a key: no random numbers")]
    Random,
}

/// Its name beside the signing keys.
const FILE: &str = "hash.key";

impl HashKeyFile {
    /// Reads the key in `keys_dir`. If there is none, the one that an earlier version kept in `data_dir` moves there, or
    /// one is made.
    ///
    /// # Errors
    /// See [`HashKeyError`].
    pub fn open_or_create(keys_dir: &Path, data_dir: &Path) -> Result<Self, HashKeyError> {
        let path = keys_dir.join(FILE);
        if let Some(key) = Self::read(&path)? {
            return Ok(key);
        }
        let earlier = data_dir.join(FILE);
        if let Some(key) = Self::read(&earlier)? {
            files::write_atomically(&path, key.text.as_bytes(), files::SECRET)?;
            // Written and on disk: a copy that stays behind is a secret too many, and nothing worse.
            let _ = std::fs::remove_file(&earlier);
            return Ok(key);
        }
        Self::create(&path)
    }

    fn read(path: &Path) -> Result<Option<Self>, HashKeyError> {
        match files::read_secret(path) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(|| HashKeyError::Content(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text).trim().to_owned();
        let key = HashKey::parse(&text).ok()?;
        Some(Self { text, key })
    }

    fn create(path: &Path) -> Result<Self, HashKeyError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| HashKeyError::Random)?;
        let text = URL_SAFE_NO_PAD.encode(bytes);
        files::write_atomically(path, text.as_bytes(), files::SECRET)?;
        Ok(Self { text, key: HashKey::from_bytes(bytes) })
    }

    /// The key.
    pub fn key(&self) -> HashKey {
        self.key
    }

    /// The wire form.
    #[must_use]
    pub fn wire_form(&self) -> &str {
        &self.text
    }
}
