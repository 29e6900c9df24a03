//! The data directory and the policy, read and made into the server's parts.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::Arc,
};

use super::{Api, ServerError};
use crate::{
    clients::NewSecret,
    config::{Config, PolicySource},
    files::{self, FileError},
    issue::Issuer,
    keys::KeyRing,
    publish::HashKeyFile,
    reload::{Publisher, Reloader, open_policy},
};

/// What is behind the listeners.
pub struct Data {
    /// What handlers share.
    pub api: Api,
    /// Keeps the policy up to date, once it is started; `None` if the policy cannot change.
    pub reloader: Option<Reloader>,
    /// Keeps other servers off the data directory while it lives.
    lock: File,
}

/// Reads policy and data directory, and makes what the first start has to make. Secrets of clients that were made
/// are shown by `show`, once; so are those of clients that come into the policy later.
///
/// # Errors
/// Anything unreadable or wrong, except a policy in whose place there is a last good one. Policy comes first: a bad
/// one leaves no traces in the data directory.
pub fn open(
    config: Config,
    show: impl FnMut(NewSecret) -> io::Result<()> + Send + 'static,
) -> Result<Data, ServerError> {
    let opening = open_policy(&config)?;
    files::make_private_directory(&config.data_dir)?;
    if files::is_open_to_others(&config.data_dir) {
        tracing::warn!(path = %config.data_dir.display(), "others than its owner may enter the data directory");
    }
    let lock = lock(&config.data_dir)?;
    let keys = KeyRing::open_or_create(&config.data_dir.join("keys"))?;
    let hash_key = HashKeyFile::open_or_create(&config.data_dir.join("hash.key"))?;
    let (config, keys) = (Arc::new(config), Arc::new(keys));
    let directory = match &config.policy {
        PolicySource::Directory(directory) => Some(directory.clone()),
        PolicySource::Example => None,
    };
    let publisher =
        Publisher { config: Arc::clone(&config), keys: Arc::clone(&keys), hash_key, show: Box::new(show) };
    let (current, reloader) = Reloader::start(directory, publisher, opening)?;
    let issuer = Arc::new(Issuer::new(&config, Arc::clone(&keys)));
    Ok(Data { api: Api { config, current, keys, issuer }, reloader, lock })
}

impl Data {
    /// The handlers' share, the reloader, and the hold on the data directory.
    pub(super) fn into_parts(self) -> (Api, Option<Reloader>, File) {
        let Self { api, reloader, lock } = self;
        (api, reloader, lock)
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
