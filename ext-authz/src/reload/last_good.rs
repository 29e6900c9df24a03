//! The last good policy on disk, for a start with a bad directory.

use std::{
    io,
    path::{Path, PathBuf},
};

use policy::Sources;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files::{self, FileError};

/// The file in the data directory.
const FILE: &str = "policy.json";

/// The policy that was published last, as its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastGood {
    /// Under which generation. The next one is higher, also where the clock went back since.
    pub generation: u64,
    /// From which files.
    pub sources: Sources,
}

/// Why the last good policy can be neither read nor written.
#[derive(Debug, Error)]
pub enum LastGoodError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("`{}`: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: serde_json::Error,
    },
}

impl LastGood {
    /// What the data directory holds; `None` if no policy was ever published there.
    ///
    /// # Errors
    /// It cannot be read, others than its owner may use it, or it is no policy.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, LastGoodError> {
        let path = data_dir.join(FILE);
        // Policy may hold hashes of secrets, and decides: nobody else may have had it in hand.
        match files::read_secret(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|reason| LastGoodError::Content { path, reason }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn write(&self, data_dir: &Path) -> Result<(), LastGoodError> {
        let path = data_dir.join(FILE);
        match serde_json::to_vec(self) {
            Ok(text) => Ok(files::write_atomically(&path, &text, files::SECRET)?),
            Err(reason) => Err(LastGoodError::Content { path, reason }),
        }
    }
}
