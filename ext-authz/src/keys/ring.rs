//! All keys of a data directory, and the one that signs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{PublicKey, SigningKey, generate::generate_pem, signing::SigningKeyError};
use crate::files::{self, FileError};

/// The keys that verify tokens, and the one of them that signs.
#[derive(Debug)]
pub struct KeyRing {
    active: SigningKey,
    others: Vec<PublicKey>,
}

/// Why there is no key ring.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file or the directory.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that is not a key.
    #[error("`{}`: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: SigningKeyError,
    },
    /// A key under another key's name: `kid` and file would disagree.
    #[error("`{}` holds the key `{kid}` and must be named `{kid}.pem`", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The key's id.
        kid: String,
    },
    /// No key at all.
    #[error("no signing key in `{}`: `writ serve` makes one at its first start", .0.display())]
    None(PathBuf),
    /// Several keys, and none is chosen.
    #[error("several signing keys in `{}`: write the `kid` of the one that signs to the file `active`", .0.display())]
    Ambiguous(PathBuf),
    /// The chosen key is missing.
    #[error("`{}` names `{kid}`, which is no key of that directory", path.display())]
    Inactive {
        /// The file `active`.
        path: PathBuf,
        /// What it says.
        kid: String,
    },
    /// The system's random numbers.
    #[error("cannot make a key: no random numbers")]
    Random,
}

impl KeyRing {
    /// Reads `directory`, and makes its first key if there is none.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open_or_create(directory: &Path) -> Result<Self, KeyError> {
        files::make_private_directory(directory)?;
        if list(directory)?.is_empty() {
            let pem = generate_pem()?;
            let key = SigningKey::from_pem(pem.as_bytes()).map_err(|_| KeyError::Random)?;
            let path = directory.join(format!("{}.pem", key.public().kid()));
            files::write_atomically(&path, pem.as_bytes(), files::SECRET)?;
            tracing::info!(kid = key.public().kid(), "made the signing key");
        }
        Self::open(directory)
    }

    /// Reads `directory`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(directory: &Path) -> Result<Self, KeyError> {
        let mut keys = list(directory)?.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let chosen = directory.join("active");
        let index = match files::read_if_present(&chosen)? {
            Some(text) => {
                let kid = String::from_utf8_lossy(&text).trim().to_owned();
                keys.iter()
                    .position(|key| key.public().kid() == kid)
                    .ok_or(KeyError::Inactive { path: chosen, kid })?
            }
            None if keys.len() == 1 => 0,
            None if keys.is_empty() => return Err(KeyError::None(directory.to_owned())),
            None => return Err(KeyError::Ambiguous(directory.to_owned())),
        };
        let active = keys.swap_remove(index);
        Ok(Self { active, others: keys.iter().map(|key| key.public().clone()).collect() })
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self) -> &SigningKey {
        &self.active
    }

    /// Every key that verifies, the one that signs first.
    pub fn public(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(self.active.public()).chain(&self.others)
    }
}

/// The key files, by name.
fn list(directory: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(|error| FileError::new("read directory", directory, error))?;
    let is_key = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pem");
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(is_key).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let text = files::read_secret(path)?;
    let key =
        SigningKey::from_pem(&text).map_err(|reason| KeyError::Key { path: path.to_owned(), reason })?;
    let kid = key.public().kid();
    if path.file_stem().is_none_or(|stem| stem != kid) {
        return Err(KeyError::Name { path: path.to_owned(), kid: kid.to_owned() });
    }
    Ok(key)
}
