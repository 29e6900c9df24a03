//! What no longer counts: read from the store as it is written there, and told to all verdicts.
//!
//! A task of its own reads ([`Tail`]): at once where this server committed something or the database tells that another
//! did, and from time to time in any case. Places in the store's order are given out under a lock, so that whoever has read
//! up to one of them has missed nothing before it. A store that cannot be read makes what is served grow stale.

mod census;
mod counts;
mod fault;
mod hints;
mod names;
mod revoked;
mod standing;
mod tail;

pub use census::count_tasks;
pub use fault::TailFault;
pub use revoked::{Change, Revision, Revoked, Tick};
pub use standing::add_standing;
pub use tail::{AskTail, Tail, Told};
