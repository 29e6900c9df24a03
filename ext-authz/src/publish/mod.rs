//! From policy and keys to the snapshot that verdicts read, here and in Envoy.

mod document;
mod envoy;
mod load;

pub use document::{Edition, Publication, document};
pub use envoy::{DEFAULT_WASM, embedded_configuration, fill_template, plugin_configuration};
pub use load::load_policy;
