//! What the store holds, for commands that need no server.

use verdict::{document::SnapshotDocument, revocation::HashKey};

use super::exit::Failure;
use crate::{
    config::Config,
    keys::{self, KeySet, SharedSecrets},
    reload::{self, PublishedPolicy},
    revocations,
    server::ServerError,
};

/// What replicas serve. `None` if no policy was ever published there.
pub(super) fn published(config: &Config) -> Result<Option<PublishedPolicy>, Failure> {
    Ok(wait(reload::published(config))?.map_err(ServerError::from)?)
}

/// The signing keys' public halves.
pub(super) fn published_keys(config: &Config) -> Result<KeySet, Failure> {
    Ok(wait(keys::published_keys(config))?.map_err(ServerError::from)?)
}

/// The same, with the secrets that replicas share.
pub(super) fn shared_keys(config: &Config) -> Result<(KeySet, SharedSecrets), Failure> {
    Ok(wait(keys::shared_keys(config))?.map_err(ServerError::from)?)
}

/// Puts what is revoked in the configured store into `document`.
pub(super) fn add_revoked(
    document: &mut SnapshotDocument,
    config: &Config,
    hash_key: HashKey,
) -> Result<(), Failure> {
    Ok(wait(revocations::add_standing(document, config, hash_key))?.map_err(ServerError::from)?)
}

/// Waits for what needs a runtime.
pub(super) fn wait<T>(reading: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(&error))?;
    Ok(runtime.block_on(reading))
}
