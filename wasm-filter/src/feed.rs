//! The live feed: snapshots come down a gRPC stream, and what became of them and of requests goes up.
//!
//! Each worker has a stream of its own, opened by its root context. What is fed is shared by all roots of a worker
//! with the same feed section: a configuration that follows another goes on with its snapshot, how fresh that is,
//! and its memory of proofs.
//!
//! - [`client`]: the stream, from one callback to the next.
//! - [`assembly`]: a snapshot from its pieces.
//! - [`digest`]: what tells documents of one version apart.
//! - [`as_of`]: how fresh what is held is.
//! - [`shared`]: what the roots share, and which of them holds the stream.
//! - [`floor`]: what no worker goes back behind.
//! - [`backoff`]: when to try again.
//! - [`decisions`]: names by which a server knows a decision again.
//! - [`report`]: what was decided; [`refused`]: how often strangers were denied.
//! - [`messages`], in [`wire`] form.

pub mod as_of;
pub mod assembly;
pub mod backoff;
pub mod client;
pub mod decisions;
pub mod digest;
pub mod floor;
pub mod messages;
pub mod refused;
pub mod report;
pub mod shared;
pub mod wire;
