//! The server: everything put together, run, and stopped.

mod data;
mod error;
mod grpc;
mod run;

use std::sync::Arc;

pub use data::{Data, open};
pub use error::ServerError;
pub use run::run;

use crate::{config::Config, issue::Issuer, keys::Keys, reload::StoreStatus, state::Current};

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
    /// Makes tokens.
    pub issuer: Arc<Issuer>,
}
