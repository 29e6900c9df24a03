//! Signing keys and other secrets that replicas share: in the store, encrypted under a key that is not there.

mod change;
mod control;
mod encryption;
mod error;
mod handle;
mod http;
mod import;
mod opening;
mod public;
mod ring;
mod rotation;
mod schedule;
mod seal;
mod shared;
mod signing;
mod trial;

pub use control::{ChangeError, KeyControl, Withdrawn};
pub use encryption::{KeyEncryption, KeyEncryptionError};
pub use error::KeyError;
pub use handle::Keys;
pub(crate) use http::KeyView;
pub use http::router;
pub use opening::{published_keys, shared_keys};
pub use public::{PublicKey, thumbprint};
pub use ring::{KeyRing, KeySet, ListedKey};
pub use rotation::Rotation;
pub use seal::UnsealError;
pub use shared::SharedSecrets;
pub use signing::{SigningError, SigningKey, SigningKeyError};
pub use trial::TrialKey;
