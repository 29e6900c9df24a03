//! Task tokens: `UnverifiedToken -> VerifiedToken`, each made only by its check.

pub mod cache;
pub mod claims;
mod names;
mod standing;
pub mod unverified;
pub mod verified;

pub use cache::{NoCache, TokenKey, VerifiedTokens};
pub use claims::Claims;
pub use unverified::UnverifiedToken;
pub use verified::VerifiedToken;

/// Longest token read, in bytes.
pub const MAX_TOKEN: usize = 8 * 1024;
/// Deepest delegation: links between a task's first token and this one.
pub const MAX_DEPTH: u32 = 8;
