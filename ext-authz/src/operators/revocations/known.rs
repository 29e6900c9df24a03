//! Whether anybody here has heard of what is revoked: a name that was mistyped looks like success otherwise.

use store::{Level, Part, StoreError};

use crate::server::Api;

/// Whether `name` is known; `None` where that cannot be told, or not now. For operators: no client is told.
pub(super) async fn is_known(api: &Api, level: Level, name: &str) -> Option<bool> {
    match look(api, level, name).await {
        Ok(known) => known,
        Err(error) => {
            // The revocation stands, and that is what was asked for.
            tracing::warn!(%error, "it cannot be told whether what was revoked is known");
            None
        }
    }
}

async fn look(api: &Api, level: Level, name: &str) -> Result<Option<bool>, StoreError> {
    let state = api.current.load();
    let clients = state.policy().clients();
    Ok(match level {
        // Tokens have no rows, and a key that has one is withdrawn.
        Level::Token | Level::Key => None,
        Level::Task => Some(api.reads.task(name).await?.is_some()),
        Level::Client => {
            Some(clients.contains_key(name) || api.scans.is_named_by_tasks(Part::Client, name).await?)
        }
        Level::Subject => {
            Some(clients.contains_key(name) || api.scans.is_named_by_tasks(Part::Subject, name).await?)
        }
        Level::Agent if clients.contains_key(name) => Some(true),
        Level::Agent if api.scans.is_named_by_tasks(Part::Agent, name).await? => Some(true),
        // Delegates are in tokens alone.
        Level::Agent if clients.values().any(|client| client.may_name(name)) => None,
        Level::Agent => Some(false),
    })
}
