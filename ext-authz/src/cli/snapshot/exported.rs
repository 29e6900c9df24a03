//! An exported snapshot, read back in any of the forms that are written.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use verdict::document::SnapshotDocument;

use crate::{
    cli::{exit::Failure, input},
    publish::embedded_configuration,
};

/// The plugin configuration of a filter. [`SnapshotDocument`] refuses members it does not know by itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugin {
    snapshot: SnapshotDocument,
}

/// Reads a snapshot from Envoy's resource file, a plugin configuration, or a document.
pub(in crate::cli) fn read(file: &Path) -> Result<SnapshotDocument, Failure> {
    let text = input::read_text(file, "a snapshot")?;
    let failed = |reason: &dyn std::fmt::Display| Failure::failed(&format!("`{}`: {reason}", file.display()));
    let text = if text.starts_with('{') {
        text
    } else {
        embedded_configuration(&text).map_err(|reason| failed(&reason))?
    };
    let has = |member: &str| {
        serde_json::from_str::<Value>(&text).is_ok_and(|document| document.get(member).is_some())
    };
    if has("feed") {
        return Err(failed(
            &"names a feed: the filter gets its snapshot from a server, and none is in the file",
        ));
    }
    let document = if has("snapshot") {
        serde_json::from_str(&text).map(|Plugin { snapshot }| snapshot)
    } else {
        serde_json::from_str(&text)
    };
    document.map_err(|error| failed(&format!("not a snapshot: {error}")))
}
