//! The server: everything put together, run, and stopped.

mod data;
mod data_plane;
mod entrance;
mod error;
mod grpc;
mod run;
mod upkeep;

use std::sync::Arc;

pub use data::{Data, lock, open};
pub use error::ServerError;
pub use run::run;

use store::{Ledger, Store};

use crate::{
    audit::AuditLog, config::Config, credentials::Credentials, keys::Keys, reload::StoreStatus,
    state::Current, tasks::Tasks,
};

/// What the HTTP handlers share.
#[derive(Clone, Debug)]
pub struct Api {
    /// How the server runs.
    pub config: Arc<Config>,
    /// What counts now.
    pub current: Current,
    /// How the store does that it comes from.
    pub store: StoreStatus,
    /// The keys.
    pub keys: Keys,
    /// Writes what tokens depend on, and the audit log with it.
    pub ledger: Ledger,
    /// What replicas share, a few rows at a time: ends of tasks and revocations wait for such reads.
    pub reads: Arc<Store>,
    /// The same over another connection, for what may take long: lists, the audit log, counts, removals.
    pub scans: Arc<Store>,
    /// Who writes the audit log, and with which key.
    pub audit: AuditLog,
    /// Services' own.
    pub credentials: Credentials,
    /// What clients do with tasks and tokens.
    pub tasks: Tasks,
}
