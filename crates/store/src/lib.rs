#![doc = include_str!("lib.md")]

mod error;
mod keys;
mod link;
mod location;
mod policy;
mod schema;
mod sealed;
mod secrets;
mod store;

pub use error::{PublishError, SecretError, StoreError};
pub use keys::{KeyState, SigningKeys, StoredKey, UnknownState};
pub use location::{LocationError, StoreLocation};
pub use policy::{Contents, Generation, Head, NewGeneration};
pub use store::Store;
