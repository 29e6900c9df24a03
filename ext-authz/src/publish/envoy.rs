//! The snapshot as Envoy's wasm filter gets it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use verdict::document::SnapshotDocument;

use crate::yaml::{self, Fault};

/// The filter's configuration in Envoy, with a feed.
const TEMPLATE: &str = include_str!("../../../envoy/writ-filter.yaml");
/// The plugin configuration in it, in whose place a snapshot goes.
const FEED: &str = r#"'{"feed": {"cluster": "writ", "authority": "writ"}}'"#;
/// The filter as `make wasm` builds it; the template names it.
pub const DEFAULT_WASM: &str = "target/wasm/writ_filter.wasm";

/// The plugin configuration: JSON on one line.
///
/// # Errors
/// The document cannot be written as JSON.
pub fn plugin_configuration(document: &SnapshotDocument) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Plugin<'d> {
        snapshot: &'d SnapshotDocument,
    }

    serde_json::to_string(&Plugin { snapshot: document })
}

/// The discovery response that stands for `envoy/writ-filter.yaml`.
#[must_use]
pub fn fill_template(configuration: &str, wasm: &Path) -> String {
    let wasm = single_quoted(&wasm.display().to_string());
    // The file first: the configuration is the operators' text and could hold its name.
    TEMPLATE.replacen(DEFAULT_WASM, &wasm, 1).replacen(FEED, &single_quoted(configuration), 1)
}

/// The plugin configuration in a discovery response, which may be laid out in any way.
///
/// # Errors
/// Why the text is no such response.
pub fn embedded_configuration(response: &str) -> Result<String, String> {
    let response: Value = yaml::from_str(response).map_err(|fault| {
        let Fault { line, column, reason } = fault;
        format!("neither JSON nor YAML: line {line}, column {column}: {reason}")
    })?;
    let place = "/resources/0/typed_config/config/configuration/value";
    let text = response.pointer(place).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| format!("neither a snapshot nor Envoy's resource: no text at `{place}`"))
}

/// A YAML single-quoted scalar (YAML 1.2 section 7.3.2): only the quote itself is special in it. Line breaks
/// would be folded; JSON on one line has none.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_each_place_once() {
        for place in [FEED, DEFAULT_WASM] {
            assert_eq!(TEMPLATE.matches(place).count(), 1, "{place}");
        }
    }

    #[test]
    fn quotes_are_doubled() {
        let filled =
            fill_template(r#"{"it's":"target/wasm/writ_filter.wasm"}"#, Path::new("/opt/o'clock.wasm"));
        assert!(filled.contains(r#"value: '{"it''s":"target/wasm/writ_filter.wasm"}'"#));
        assert!(filled.contains("filename: '/opt/o''clock.wasm'"));
    }
}
