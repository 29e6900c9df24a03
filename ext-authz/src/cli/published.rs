//! What replicas serve, as the store has it.

use verdict::document::SnapshotDocument;

use super::exit::Failure;
use crate::{
    config::Config,
    publish::HashKeyFile,
    reload::{self, PublishedPolicy},
    revocations,
    server::ServerError,
};

/// Reads the configured store. `None` if no policy was ever published there.
pub(super) fn published(config: &Config) -> Result<Option<PublishedPolicy>, Failure> {
    Ok(runtime()?.block_on(reload::published(config)).map_err(ServerError::from)?)
}

/// Puts what is revoked in the configured store into `document`.
pub(super) fn add_revoked(
    document: &mut SnapshotDocument,
    config: &Config,
    hash_key: &HashKeyFile,
) -> Result<(), Failure> {
    let adding = revocations::add_standing(document, config, hash_key.key());
    Ok(runtime()?.block_on(adding).map_err(ServerError::from)?)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::failed(&error))
}
