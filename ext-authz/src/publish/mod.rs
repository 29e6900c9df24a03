//! From policy and keys to the snapshot that verdicts read, here and in Envoy.

mod audit_key;
mod document;
mod envoy;
mod hash_key;
mod load;

pub use audit_key::{AuditKeyError, AuditKeyFile};
pub use document::{Edition, Publication, document};
pub use envoy::{DEFAULT_WASM, embedded_configuration, fill_template, plugin_configuration};
pub use hash_key::{HashKeyError, HashKeyFile};
pub use load::load_policy;
