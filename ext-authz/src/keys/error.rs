//! Why there are no keys to work with.

use std::path::PathBuf;

use store::StoreError;
use thiserror::Error;

use super::{
    encryption::KeyEncryptionError,
    seal::{SealError, UnsealError},
    signing::SigningKeyError,
};
use crate::files::FileError;

/// Why there is no key ring.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key-encryption key.
    #[error(transparent)]
    Encryption(#[from] KeyEncryptionError),
    /// What is encrypted under it.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// A file of an earlier release, or the directory.
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
    /// A shared secret's file holds something else.
    #[error("`{}`: not base64url of {bytes} bytes", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// How many it has to hold.
        bytes: usize,
    },
    /// No key at all.
    #[error("no signing key in the store `{0}`: `writ serve` makes one at its first start")]
    None(String),
    /// A key that is in the store, and not what it should be.
    #[error("the signing key `{0}` in the store is damaged")]
    Damaged(String),
    /// Not one key that signs.
    #[error("{0} signing keys in the store are active, and one should be")]
    Active(usize),
    /// The system's random numbers.
    #[error("cannot make a key: no random numbers")]
    Random,
}

impl From<SealError> for KeyError {
    fn from(SealError: SealError) -> Self {
        Self::Random
    }
}

impl KeyError {
    /// Whether trying again may help: what operators wrote is not at fault.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Random)
    }
}
