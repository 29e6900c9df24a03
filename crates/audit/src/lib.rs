#![doc = include_str!("lib.md")]

mod batch;
mod chain;
mod checkpoint;
mod claims;
mod digest;
mod event;
mod extent;
mod finding;
mod key;
mod lines;
mod told;
mod verify;

pub use batch::Batch;
pub use chain::{Chain, Head};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use claims::{Claims, Source};
pub use digest::Digest;
pub use event::{Event, EventKind};
pub use extent::{Extent, Pruned};
pub use finding::{Fault, Finding};
pub use key::ChainKey;
pub use lines::Lines;
pub use told::Token;
pub use verify::{ChainVerifier, Report, Verifier};
