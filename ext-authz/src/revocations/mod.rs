//! What no longer counts: read from the store as it is written there, and told to all verdicts.

mod revoked;

pub use revoked::{Change, Revision, Revoked, Tick};
