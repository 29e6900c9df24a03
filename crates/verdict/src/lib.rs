#![doc = include_str!("lib.md")]
#![no_std]
// Request bytes reach every line of this crate, inside a sandbox where a panic is a trap that takes a whole
// Envoy worker's VM with it. So the ways to panic are closed at compile time, outside tests.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod decide;
pub mod denial;
pub mod document;
pub mod ed25519;
pub mod grant;
pub mod injection;
pub mod json;
pub mod limited;
pub mod peer;
pub mod permit;
pub mod request;
pub mod revocation;
pub mod route;
pub mod snapshot;
pub mod standing;
pub mod time;
pub mod token;

pub use decide::{Freshness, Verdict, decide};
pub use denial::{Denial, DenialCode, DenialResponse, Refusal};
pub use grant::Grant;
pub use injection::Injection;
pub use limited::{Limit, LimitedPermit, Use};
pub use peer::Peer;
pub use permit::{GrantedRequest, HeaderEdits, Permit, PermitKind};
pub use request::{Body, BodyNeed, Request};
pub use snapshot::{Snapshot, SnapshotError};
pub use standing::Standing;
pub use time::UnixTime;
pub use token::cache::{NoCache, TokenKey, VerifiedTokens};
pub use token::verified::VerifiedToken;
