//! The data directory and the policy, read and made into the server's parts.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::Arc,
};

use verdict::Snapshot;

use super::{Api, ServerError};
use crate::{
    clients::{Clients, GeneratedSecrets, NewSecret},
    clock,
    config::Config,
    files::{self, FileError},
    issue::Issuer,
    keys::KeyRing,
    publish::{HashKeyFile, Publication, document, load_policy},
    state::{Current, State},
};

/// What is behind the listeners.
#[derive(Debug)]
pub struct Data {
    /// What handlers share.
    pub api: Api,
    /// Keeps other servers off the data directory while it lives.
    lock: File,
}

/// Reads policy and data directory, and makes what the first start has to make. Secrets of clients that were made
/// are shown by `show`, this once.
///
/// # Errors
/// Anything unreadable or wrong. Policy comes first: a bad one leaves no traces in the data directory.
pub fn open(config: Config, show: impl FnMut(NewSecret) -> io::Result<()>) -> Result<Data, ServerError> {
    let policy = load_policy(&config)?;
    files::make_private_directory(&config.data_dir)?;
    if files::is_open_to_others(&config.data_dir) {
        tracing::warn!(path = %config.data_dir.display(), "others than its owner may enter the data directory");
    }
    let lock = lock(&config.data_dir)?;
    let keys = KeyRing::open_or_create(&config.data_dir.join("keys"))?;
    let hash_key = HashKeyFile::open_or_create(&config.data_dir.join("hash.key"))?;
    let generated = GeneratedSecrets::open(&config.data_dir.join("clients.json"), &policy, show)?;
    let publication = Publication { config: &config, policy: &policy, keys: &keys, hash_key: &hash_key };
    let snapshot = Snapshot::compile(document(&publication, clock::now(), None))?;
    for open in policy.exemptions() {
        tracing::info!(
            method = open.method,
            host = open.host,
            path = open.path,
            "open to everyone: `action: none`"
        );
    }
    let clients = Clients::new(&policy, &generated);
    let current = Current::new(State::new(policy, clients, snapshot));
    let keys = Arc::new(keys);
    let issuer = Arc::new(Issuer::new(&config, Arc::clone(&keys)));
    Ok(Data { api: Api { config: Arc::new(config), current, keys, issuer }, lock })
}

impl Data {
    /// Ends the hold on the data directory.
    pub(super) fn release(self) {
        drop(self.lock);
    }
}

/// The kernel frees the lock when the process ends, however it does.
fn lock(directory: &Path) -> Result<File, ServerError> {
    let path = directory.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|error| FileError::new("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServerError::Locked(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(FileError::new("lock", &path, error).into()),
    }
}
