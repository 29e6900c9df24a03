//! What will run: `writ.yaml`, the command line over it, defaults under it.

mod data_plane;
mod error;
mod file;
mod keys;
mod limits;
mod operator;
mod resolve;
mod secs;
mod store_url;
mod tls;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use data_plane::{CertificateName, DataPlane};
pub use error::ConfigError;
pub use limits::Limits;
pub use operator::Operator;
use policy::Namespaces;
pub use resolve::{Overrides, resolve};
use store::StoreLocation;
pub use tls::TlsFiles;

use crate::keys::KeyEncryption;

/// Everything the server needs to know before it starts. Of data planes' secrets it holds hashes only, and shows neither
/// these nor the store's password.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `iss` of tokens, and the base of the server's URLs.
    pub issuer: String,
    /// Where the data planes' socket is, and by default the store and the keys.
    pub data_dir: PathBuf,
    /// What replicas share: published policy, hashes of client secrets.
    pub store: StoreLocation,
    /// How often the store is read; 1 to 10 s.
    pub store_poll_interval: Duration,
    /// How long a task is kept after its expiry.
    pub task_retention: Duration,
    /// How long the audit log is kept.
    pub audit_retention: Duration,
    /// Where earlier releases kept their keys: read at the first start with a store that has none.
    pub keys_dir: PathBuf,
    /// Where the key is that the store's keys are encrypted under.
    pub key_encryption: KeyEncryption,
    /// Age at which a signing key is replaced; `None`: when an operator says so.
    pub key_rotation: Option<Duration>,
    /// Where policy is read from.
    pub policy: PolicySource,
    /// How often the policy directory is read, whether or not the operating system tells of changes.
    pub policy_poll_interval: Duration,
    /// Where to listen.
    pub listeners: Listeners,
    /// What the HTTP and gRPC listeners prove themselves with; without it they speak plaintext.
    pub tls: Option<TlsFiles>,
    /// Lifetime of a token whose client asks for none.
    pub default_ttl: Duration,
    /// Longest lifetime of any token, whatever the policy says.
    pub max_ttl: Duration,
    /// Tolerated clock difference of verdicts; whole seconds, at most 5.
    pub leeway: Duration,
    /// Who may call `Check` and `Watch` over TCP.
    pub data_planes: Vec<DataPlane>,
    /// Who may revoke, read the audit log and withdraw keys over TCP.
    pub operators: Vec<Operator>,
    /// What policy files may claim.
    pub namespaces: Namespaces,
    /// Bounds of every listener.
    pub limits: Limits,
}

/// Where policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A directory.
    Directory(PathBuf),
    /// The example built into the program, where nobody named a directory and `./policies` does not exist.
    Example,
}

/// Addresses to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// OAuth and task API.
    pub http: SocketAddr,
    /// `Check`, the feed, health, reflection.
    pub grpc: SocketAddr,
    /// Whether something else encrypts what the gRPC listener sends, as a sidecar does.
    pub grpc_plaintext: bool,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// The Unix socket of data planes on this machine.
    pub data_plane: PathBuf,
    /// Whether whoever opens it is handed services' own credentials.
    pub data_plane_trusted_egress: bool,
    /// The Unix socket of operators on this machine.
    pub operator: PathBuf,
}
