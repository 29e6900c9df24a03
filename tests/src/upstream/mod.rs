//! What stands behind Envoy.

mod echo;
mod files;

pub use echo::{Echo, Seen};
pub use files::FileServer;
