//! Real parts for end-to-end tests: Envoy, the server, upstreams, raw HTTP clients and the shared corpus.
//!
//! Every process is started by this library, known by its process id, and killed when its handle is
//! dropped. Every port is chosen by the kernel and read back. Nothing waits for a time to pass: see
//! [`wait::until`].

pub mod api;
pub mod corpus;
pub mod envoy;
pub mod error;
pub mod feed;
pub mod fleet;
pub mod forge;
pub mod http;
pub mod link;
pub mod load;
pub mod paths;
pub mod pki;
pub mod process;
pub mod server;
pub mod surface;
pub mod upstream;
pub mod wait;
pub mod workers;

pub use error::{Error, Result};
