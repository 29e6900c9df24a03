//! The data directory and the policy, read and made into the server's parts.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::Arc,
    time::Duration,
};

use store::{Ledger, Store};
use tokio::task::JoinHandle;

use super::{
    Api, ServerError,
    entrance::{Entrance, PrivateEntrance},
    upkeep::retention,
};
use crate::{
    audit::AuditLog,
    clients::{NewSecret, move_earlier_secrets},
    config::Config,
    credentials::Credentials,
    feed::scopes,
    files::{self, FileError},
    issue::Issuer,
    keys::Keys,
    reload::{AskedReads, Publisher, Reloader, Start, StoreFault, check_first_policy, open_policy},
    revocations::{AskTail, Tail},
    tasks::{TaskReads, Tasks},
    telemetry::revocations as metrics,
};

/// What is behind the listeners.
pub struct Data {
    /// What handlers share.
    pub(super) api: Api,
    pub(super) entrance: Entrance,
    pub(super) private_entrance: PrivateEntrance,
    pub(super) readers: Readers,
    /// Writes what the ledger takes.
    pub(super) writing: JoinHandle<()>,
    /// Keeps other servers off the data directory while it lives.
    pub(super) lock: File,
}

/// What keeps the state up to the store, once it is started.
pub(super) struct Readers {
    pub(super) reloader: Reloader,
    pub(super) asked: AskedReads,
    pub(super) tail: Tail,
    pub(super) ask_tail: AskTail,
}

/// Reads policy, data directory and store, and makes what the first start has to make. Secrets of clients that were
/// made are shown by `show`, once; so are those of clients that come into the policy later.
///
/// # Errors
/// Anything unreadable or wrong, except a policy in whose place there is a last good one. Policy and addresses come
/// first: bad ones leave no traces in the data directory.
pub async fn open(
    config: Config,
    start: Start,
    show: impl FnMut(NewSecret) -> io::Result<()> + Send + 'static,
) -> Result<Data, ServerError> {
    check_first_policy(&config)?;
    // First who uses the directory, where it is there: the addresses are that server's, too.
    let held = config.data_dir.exists().then(|| lock(&config.data_dir)).transpose()?;
    let entrance = Entrance::hold(&config)?;
    files::make_private_directory(&config.data_dir)?;
    if files::is_open_to_others(&config.data_dir) {
        tracing::warn!(path = %config.data_dir.display(), "others than its owner may enter the data directory");
    }
    let lock = held.map_or_else(|| lock(&config.data_dir), Ok)?;
    let private_entrance = PrivateEntrance::hold(&config.listeners)?;
    let store = Store::open(config.store.clone()).await.map_err(StoreFault::from)?;
    move_earlier_secrets(&config.data_dir, &store).await?;
    let (config, store) = (Arc::new(config), Arc::new(store));
    let [reads, scans] = [(); 2].map(|()| Arc::new(Store::existing(config.store.clone())));
    let keys = Keys::open(&config, Arc::clone(&store)).await?;
    let audit = AuditLog::begin(keys.secrets().audit_key().clone());
    let (ledger, writing) =
        Ledger::open(config.store.clone(), audit.chain()).await.map_err(StoreFault::from)?;
    ledger.observe(metrics::store_took);
    let writing = tokio::spawn(writing);
    let planes = scopes(&config.data_planes);
    let lifted_kept = Duration::from_secs(retention(&config).lifted());
    let key = keys.secrets().revocation_key();
    let (tail, ask_tail) = Tail::open(config.store.clone(), key, planes, lifted_kept).await?;
    let publisher = Publisher {
        config: Arc::clone(&config),
        store,
        keys: keys.clone(),
        audit: audit.clone(),
        ledger: ledger.clone(),
        show: Box::new(show),
    };
    let (current, store, reloader, asked) = Reloader::new(open_policy(publisher, start).await?);
    // Before anything is served.
    tail.begin(&current, &store);
    let issuer = Arc::new(Issuer::new(&config, keys.clone()));
    let stores = TaskReads { rows: Arc::clone(&reads), lists: Arc::clone(&scans) };
    let tasks = Tasks::new(current.clone(), issuer, ledger.clone(), stores, store.clone());
    let credentials = Credentials::default();
    let api = Api { config, current, store, keys, ledger, reads, scans, audit, credentials, tasks };
    let readers = Readers { reloader, asked, tail, ask_tail };
    Ok(Data { api, entrance, private_entrance, readers, writing, lock })
}

/// Keeps other servers off a data directory. The kernel frees the lock when the process ends, however it does.
///
/// # Errors
/// Another process has it, or there is no such directory.
pub fn lock(directory: &Path) -> Result<File, ServerError> {
    let path = directory.join("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|error| FileError::new("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServerError::Locked(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(FileError::new("lock", &path, error).into()),
    }
}
