//! What stands behind Envoy.

mod echo;
mod endless;
mod files;
mod keyed;

pub use echo::{Echo, Seen};
pub use endless::{Endless, FIRST};
pub use files::FileServer;
pub use keyed::Keyed;
