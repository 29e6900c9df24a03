//! Remembering proofs: a token's signature is checked once, everything else on every request.

use alloc::sync::Arc;

use super::VerifiedToken;
use crate::revocation::{Hash, HashKey};

/// Under what a proof is remembered: a keyed hash of the token's exact bytes. Who does not know the key cannot
/// make two tokens meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenKey(Hash);

impl TokenKey {
    pub(crate) fn of(key: &HashKey, token: &[u8]) -> Self {
        Self(key.hash_token(token))
    }

    /// The hash itself, uniformly distributed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A bounded memory of proofs. One memory belongs to one snapshot's hash key and issuer: adapters begin a new
/// one with a new configuration.
pub trait VerifiedTokens {
    /// The proof remembered under `key`, if it still is.
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>>;
    /// Remembers a proof, at the expense of another where memory is full.
    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>);
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCache;

impl VerifiedTokens for NoCache {
    fn lookup(&mut self, _: &TokenKey) -> Option<Arc<VerifiedToken>> {
        None
    }

    fn remember(&mut self, _: TokenKey, _: &Arc<VerifiedToken>) {}
}
