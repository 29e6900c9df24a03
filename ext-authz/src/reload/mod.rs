//! Policy that changes while the server runs: watched in its directory, published in the store for all replicas, and
//! taken up as one swap by each.
//!
//! A bad edit changes nothing but what is said about it: the last published policy goes on, also across a restart.

mod decision;
mod fault;
mod found;
mod opening;
mod published;
mod publisher;
mod rejection;
mod reloader;
mod shared;
mod status;
mod thread;
mod watch;

pub use fault::StoreFault;
pub use opening::{Opening, Start, check_first_policy, open_policy};
pub use published::{PublishedPolicy, published};
pub use publisher::{Publisher, Show};
pub use rejection::Rejection;
pub use reloader::{AskedReads, Reloader};
pub use status::{StoreStatus, StoreView};
pub use thread::ReloadThread;
