//! `writ.yaml` as it is written.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use policy::Namespaces;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{
    ConfigError,
    data_plane::DataPlaneFile,
    keys::{KeyEncryptionFile, KeyRotationFile},
    operator::OperatorFile,
    secs, store_url,
};
use crate::{
    files::FileError,
    yaml::{self, Fault},
};

/// Every member may be left out; one that is not listed here is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) issuer: Option<Spanned<String>>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) store: Option<store_url::Text>,
    pub(super) store_poll_interval: Option<Spanned<secs::Text>>,
    pub(super) task_retention: Option<secs::Text>,
    pub(super) audit_retention: Option<secs::Text>,
    pub(super) keys_dir: Option<PathBuf>,
    pub(super) key_encryption: Option<Spanned<KeyEncryptionFile>>,
    pub(super) key_rotation: Option<Spanned<KeyRotationFile>>,
    pub(super) policy_dir: Option<PathBuf>,
    pub(super) policy_poll_interval: Option<secs::Text>,
    #[serde(default)]
    pub(super) listeners: ListenersFile,
    pub(super) tls: Option<TlsFile>,
    pub(super) default_ttl: Option<Spanned<secs::Text>>,
    pub(super) max_ttl: Option<Spanned<secs::Text>>,
    pub(super) leeway: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) data_planes: Vec<Spanned<DataPlaneFile>>,
    #[serde(default)]
    pub(super) operators: Vec<Spanned<OperatorFile>>,
    pub(super) namespaces: Option<Namespaces>,
    #[serde(default)]
    pub(super) limits: LimitsFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenersFile {
    pub(super) http: Option<SocketAddr>,
    pub(super) grpc: Option<Spanned<SocketAddr>>,
    #[serde(default)]
    pub(super) grpc_plaintext: bool,
    pub(super) admin: Option<SocketAddr>,
    pub(super) data_plane: Option<PathBuf>,
    #[serde(default)]
    pub(super) data_plane_trusted_egress: bool,
    pub(super) operator: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFile {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_ca: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub(super) connections: Option<NonZeroUsize>,
    pub(super) requests: Option<NonZeroUsize>,
    pub(super) feed_streams: Option<NonZeroUsize>,
    pub(super) header_bytes: Option<Spanned<usize>>,
    pub(super) body_bytes: Option<Spanned<usize>>,
    pub(super) message_bytes: Option<Spanned<usize>>,
    pub(super) header_timeout: Option<secs::Text>,
    pub(super) request_timeout: Option<secs::Text>,
    pub(super) idle_timeout: Option<secs::Text>,
    pub(super) drain_timeout: Option<secs::Text>,
}

/// Reads a `writ.yaml`.
pub(super) fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| FileError::new("read", path, error))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    yaml::from_str(text).map_err(|Fault { line, column, reason }| ConfigError::Syntax {
        path: path.to_owned(),
        line,
        column,
        reason,
    })
}
