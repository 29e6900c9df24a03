//! The audit log: what happened, as JSON lines, in chains that show what was edited, removed, reordered or cut off.
//!
//! Pure: where batches are kept, and when they are written, is the caller's business. Each writer (one run of one server)
//! has a chain of its own; what ties the chains together are anchors, events that name the heads of the others.

mod batch;
mod chain;
mod event;
mod lines;
mod told;

pub use batch::{Batch, Digest};
pub use chain::{Chain, ChainKey, Head};
pub use event::{Event, EventKind};
pub use lines::Lines;
pub use told::Token;
