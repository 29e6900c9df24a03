//! What no longer counts: 16-byte keyed hashes of token ids, tasks, agents, subjects, clients and keys.
//!
//! A data plane holds many of them, and needs to answer only "is this one in it". The hashes are keyed
//! (SipHash-1-3, 128 bits) so that nobody without the key can make two names collide.
//!
//! - [`Record`]: one of them, and until when it is of use.
//! - [`Revocations`]: all of them.

mod record;
mod set;

use core::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use siphasher::sip128::{Hasher128, SipHasher13};
use thiserror::Error;

pub use self::{
    record::{NotARecord, Record},
    set::{Full, MAX, Revocations},
};

/// Key of the hashes of one snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey([u8; 16]);

/// One keyed hash.
pub type Hash = [u8; 16];

/// What a revoked name is a name of. Part of the hash: an agent named like a task is not that task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A token, by `jti`; its delegates through their lineage.
    Token = 1,
    /// A task, with its child tasks.
    Task = 2,
    /// An agent: whoever holds or held the token.
    Agent = 3,
    /// A subject, by `sub`.
    Subject = 4,
    /// A client, by `client_id` or `writ.client`.
    Client = 5,
    /// A signing key, by `kid`.
    Key = 6,
}

/// Text that is not base64url of 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not base64url (RFC 4648 section 5, unpadded) of 16 bytes")]
pub struct NotSixteenBytes;

impl HashKey {
    /// A key from 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A key from its wire form.
    ///
    /// # Errors
    /// Text that is not base64url of 16 bytes.
    pub fn parse(text: &str) -> Result<Self, NotSixteenBytes> {
        parse_hash(text).map(Self)
    }

    /// The hash under which `name` is revoked.
    #[must_use]
    pub fn hash(&self, kind: Kind, name: &str) -> Hash {
        self.digest(kind as u8, name.as_bytes())
    }

    /// A hash of a whole token, under which its verification is remembered.
    pub(crate) fn hash_token(&self, token: &[u8]) -> Hash {
        self.digest(0, token)
    }

    fn digest(&self, domain: u8, bytes: &[u8]) -> Hash {
        use core::hash::Hasher as _;

        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(&[domain]);
        hasher.write(bytes);
        hasher.finish128().as_bytes()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashKey(secret)")
    }
}

/// One hash from its wire form.
///
/// # Errors
/// Text that is not base64url of 16 bytes.
pub fn parse_hash(text: &str) -> Result<Hash, NotSixteenBytes> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotSixteenBytes)?;
    bytes.try_into().map_err(|_| NotSixteenBytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_keys_are_apart() {
        let key = HashKey::from_bytes([7; 16]);
        assert_ne!(key.hash(Kind::Task, "a"), key.hash(Kind::Agent, "a"));
        assert_ne!(key.hash(Kind::Task, "a"), HashKey::from_bytes([8; 16]).hash(Kind::Task, "a"));
    }
}
