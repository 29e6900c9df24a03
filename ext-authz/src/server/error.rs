//! Why the server does not run.

use std::io;

use policy::PolicyErrors;
use thiserror::Error;
use verdict::SnapshotError;

use crate::{
    clients::{EarlierError, GeneratedError},
    files::FileError,
    keys::KeyError,
    listen::{BindError, SocketError},
    reload::StoreFault,
    revocations::TailFault,
    tls::TlsError,
};

/// Why the server does not start. It starts whole or not at all.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The policy; every fault of every file.
    #[error(transparent)]
    Policy(#[from] PolicyErrors),
    /// Policy and keys make no snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The clients' generated secrets.
    #[error(transparent)]
    Clients(#[from] GeneratedError),
    /// The clients' secrets of an earlier version.
    #[error(transparent)]
    EarlierClients(#[from] EarlierError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// What is revoked.
    #[error(transparent)]
    Revocations(#[from] TailFault),
    /// The store's policy, where there is no other to serve.
    #[error("generation {generation} of the store does not fit this server's configuration:\n{errors}")]
    Unfit {
        /// Its number.
        generation: u64,
        /// Every fault.
        errors: PolicyErrors,
    },
    /// Others published again and again meanwhile.
    #[error("the policy could not be published: other replicas did, again and again")]
    Outpaced,
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another server uses the data directory.
    #[error("`{0}` is in use by another server: stop that one first (SIGTERM), or use another `data_dir`")]
    Locked(String),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What the feed sends.
    #[error("feed: {0}")]
    Feed(#[from] serde_json::Error),
    /// A TCP address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The Unix socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The reflection service.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The counters.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The thread that watches the policy.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// Signals.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

impl ServerError {
    /// Whether what operators wrote is at fault, and not the machine.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Keys(error) => !error.is_passing(),
            Self::Clients(error) => matches!(error, GeneratedError::Content(_)),
            Self::Policy(_) | Self::Snapshot(_) | Self::Unfit { .. } | Self::Tls(_) => true,
            Self::File(_)
            | Self::EarlierClients(_)
            | Self::Store(_)
            | Self::Revocations(_)
            | Self::Outpaced
            | Self::Locked(_)
            | Self::Feed(_)
            | Self::Bind(_)
            | Self::Socket(_)
            | Self::Reflection(_)
            | Self::Metrics(_)
            | Self::Thread(_)
            | Self::Signals(_) => false,
        }
    }
}
