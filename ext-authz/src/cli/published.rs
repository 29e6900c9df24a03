//! What replicas serve, as the store has it.

use super::exit::Failure;
use crate::{
    config::Config,
    reload::{self, PublishedPolicy},
    server::ServerError,
};

/// Reads the configured store. `None` if no policy was ever published there.
pub(super) fn published(config: &Config) -> Result<Option<PublishedPolicy>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(&error))?;
    Ok(runtime.block_on(reload::published(config)).map_err(ServerError::from)?)
}
