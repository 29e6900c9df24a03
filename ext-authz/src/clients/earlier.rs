//! Hashes that an earlier version kept in `clients.json`, moved to the store.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::Deserialize;
use store::{SecretError, Store};
use thiserror::Error;

use crate::{
    clock,
    files::{self, FileError},
};

const FILE: &str = "clients.json";
/// What the file is called once the store has its content.
const MOVED: &str = "clients.json.moved";

/// Why the hashes were not moved. The file is as it was.
#[derive(Debug, Error)]
pub enum EarlierError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("`{FILE}`: {0}")]
    Content(serde_json::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] SecretError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    secret_sha256: String,
}

/// Moves the hashes in `data_dir` to the store, where there are any. A client that has a secret in the store keeps that.
///
/// # Errors
/// See [`EarlierError`].
pub async fn move_earlier_secrets(data_dir: &Path, store: &Store) -> Result<(), EarlierError> {
    let path = data_dir.join(FILE);
    let text = match files::read_secret(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).map_err(EarlierError::Content)?;
    for (client, Entry { secret_sha256 }) in &entries {
        // Its owner has seen it before.
        store.add_secret(client, secret_sha256, clock::now().0, || Ok(())).await?;
    }
    fs::rename(&path, data_dir.join(MOVED)).map_err(|error| FileError::new("rename", &path, error))?;
    tracing::info!(clients = entries.len(), "moved the clients' hashes from `{FILE}` to the store");
    Ok(())
}
