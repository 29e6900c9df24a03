//! The key of revocation hashes: made once, kept with the signing keys.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use verdict::revocation::HashKey;

use crate::files::{self, FileError};

/// The key in its wire form, base64url of 16 bytes. Data planes get it, strangers do not.
#[derive(Clone)]
pub struct HashKeyFile(String);

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

impl HashKeyFile {
    /// Reads `path`, and makes a key there first if there is none.
    ///
    /// # Errors
    /// See [`HashKeyError`].
    pub fn open_or_create(path: &Path) -> Result<Self, HashKeyError> {
        if let Some(text) = files::read_if_present(path)? {
            let text = String::from_utf8_lossy(&text).trim().to_owned();
            return match HashKey::parse(&text) {
                Ok(_) => Ok(Self(text)),
                Err(_) => Err(HashKeyError::Content(path.to_owned())),
            };
        }
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| HashKeyError::Random)?;
        let text = URL_SAFE_NO_PAD.encode(bytes);
        files::write_atomically(path, text.as_bytes(), files::SECRET)?;
        Ok(Self(text))
    }

    /// The wire form.
    #[must_use]
    pub fn wire_form(&self) -> &str {
        &self.0
    }
}
