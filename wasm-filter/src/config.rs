//! The plugin configuration: JSON of one object, `{"snapshot": {...}}`.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;
use verdict::{Snapshot, SnapshotError};

/// What an operator configures the filter with.
#[derive(Debug)]
pub struct FilterConfig {
    /// The policy, keys and revocations that every verdict reads.
    pub snapshot: Snapshot,
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
    /// A form this version reads, with content it cannot apply.
    #[error("plugin configuration: {0}")]
    Snapshot(SnapshotError),
}

/// The wire form. A member it does not know might narrow what the known ones open, so none is skipped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigDocument<'c> {
    // Unread, because only a snapshot's own reader can tell a later format from a mistake.
    #[serde(borrow)]
    snapshot: &'c RawValue,
}

impl FilterConfig {
    /// Reads and compiles a plugin configuration.
    ///
    /// # Errors
    /// The configuration is missing, is not of the known form, or holds a snapshot that does not compile.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        if json.is_empty() {
            return Err(ConfigError::Missing);
        }
        let ConfigDocument { snapshot } = serde_json::from_slice(json).map_err(ConfigError::Form)?;
        let snapshot = Snapshot::from_json(snapshot.get().as_bytes()).map_err(ConfigError::Snapshot)?;
        Ok(Self { snapshot })
    }
}
