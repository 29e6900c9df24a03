//! Services' own credentials: fetched from where the policy says, kept in memory, handed to data planes that are trusted
//! with them.
//!
//! - [`provider`]: one small trait, and the places a secret can be in.
//! - [`Keeper`]: one credential; caches it, renews it ahead of its end, and asks once however many wait.
//! - [`rendered`]: the secret as a header field.
//! - [`rpc`]: leases, for filters. [`check`](crate::check) injects by itself.

mod book;
mod keeper;
mod pause;
mod provider;
mod refusals;
mod rendered;
mod rpc;
mod secret;

pub use book::Credentials;
pub use keeper::{Keeper, Kept};
pub use provider::ProviderError;
pub use rendered::Rendered;
pub use rpc::{LEASE, Leases};
pub use secret::Secret;
