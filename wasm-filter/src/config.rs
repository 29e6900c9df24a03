//! The plugin configuration: JSON of one object, `{"snapshot": {...}}` or `{"feed": {...}}`.

mod feed;

pub use feed::{FeedConfig, Secret};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;
use verdict::{Snapshot, SnapshotError};

/// What an operator configures the filter with: where the policy, keys and revocations come from that every
/// verdict reads.
#[derive(Debug)]
pub enum FilterConfig {
    /// They stand in the configuration itself.
    Snapshot(Snapshot),
    /// A server feeds them.
    Feed(FeedConfig),
}

/// Why a plugin configuration is refused. Envoy then refuses the listener or filter update that carries it and
/// keeps what it had.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The plugin has no `configuration`.
    #[error("the plugin has no configuration: export one with `writ snapshot export`")]
    Missing,
    /// Not JSON, or not of this form.
    #[error("plugin configuration: {0}")]
    Form(serde_json::Error),
    /// Two sources of snapshots, or none.
    #[error("plugin configuration: needs exactly one of `snapshot` and `feed`")]
    Source,
    /// A form this version reads, with content it cannot apply.
    #[error("plugin configuration: {0}")]
    Snapshot(SnapshotError),
    /// A feed that cannot be opened.
    #[error("plugin configuration: feed: {0}")]
    Feed(String),
}

/// The wire form. A member it does not know might narrow what the known ones open, so none is skipped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigDocument<'c> {
    // Unread, because only a snapshot's own reader can tell a later format from a mistake.
    #[serde(borrow, default)]
    snapshot: Option<&'c RawValue>,
    // Unread, because a message about it must not quote what it holds.
    #[serde(borrow, default)]
    feed: Option<&'c RawValue>,
}

impl FilterConfig {
    /// Reads a plugin configuration, and compiles a snapshot in it.
    ///
    /// # Errors
    /// The configuration is missing, is not of the known form, or holds a snapshot that does not compile.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        if json.is_empty() {
            return Err(ConfigError::Missing);
        }
        let ConfigDocument { snapshot, feed } = serde_json::from_slice(json).map_err(ConfigError::Form)?;
        match (snapshot, feed) {
            (Some(snapshot), None) => Snapshot::from_json(snapshot.get().as_bytes())
                .map(Self::Snapshot)
                .map_err(ConfigError::Snapshot),
            (None, Some(feed)) => {
                FeedConfig::from_json(feed.get()).map(Self::Feed).map_err(ConfigError::Feed)
            }
            (Some(_), Some(_)) | (None, None) => Err(ConfigError::Source),
        }
    }
}
