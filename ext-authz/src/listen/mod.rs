//! Sockets: what strangers can make a listener hold or wait for is bounded, and stopping loses no request.

mod activity;
mod addresses;
mod bind;
mod clients;
mod connection;
mod descriptors;
mod feed_body;
mod guard;
mod guarded_body;
mod places;
mod seats;
mod shutdown;
mod unix;

pub use addresses::{Addresses, LISTENERS, PublishedAddresses};
pub use bind::{BindError, Port};
pub use connection::{Door, serve};
pub use descriptors::raise_descriptor_limit;
pub use guard::Protocol;
pub use shutdown::{Shutdown, StopSignals, Trigger};
pub use unix::{BoundSocket, PrivateSocket, SocketError};
