//! The places where a verdict is made, behind one interface.

mod check;
mod library;
mod proxy;

pub use check::Check;
pub use library::Library;
pub use proxy::Proxy;
