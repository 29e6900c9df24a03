//! Policy that changes while the server runs: watched, compiled whole, and published as one swap.
//!
//! A bad edit changes nothing but what is said about it: the last good policy goes on, also across a restart.

mod last_good;
mod opening;
mod publisher;
mod rejection;
mod reloader;
mod thread;
mod watch;

pub use last_good::{LastGood, LastGoodError};
pub use opening::{Opening, open_policy};
pub use publisher::{Publisher, Show};
pub use rejection::Rejection;
pub use reloader::Reloader;
pub use thread::ReloadThread;
