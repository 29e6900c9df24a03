//! Signing keys: made on first start, read ever after.

mod generate;
mod public;
mod ring;
mod signing;

pub use public::{PublicKey, thumbprint};
pub use ring::{KeyError, KeyRing};
pub use signing::{SigningError, SigningKey};
