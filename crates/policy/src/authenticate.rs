//! How a client proves who it is.

use std::fmt;

use argon2::{Algorithm, Params, password_hash::phc::PasswordHash};
use thiserror::Error;

/// Memory of one password check, KiB, at most: RFC 9106 section 4's second recommended setting. A check is made
/// for strangers too, so its cost is what a stranger can make the server spend.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
/// Passes of one password check at most.
const MAX_PASSES: u32 = 8;
/// Lanes of one password check at most.
const MAX_LANES: u32 = 4;

/// One way to prove that a request is a client's.
#[derive(Clone, PartialEq, Eq)]
pub enum Authenticate {
    /// A secret that the server makes at its first start, shows once, and keeps only the hash of.
    Generated,
    /// The SHA-256 hash of a generated secret of at least 256 bits: too long to be guessed, so a fast hash does.
    SecretSha256([u8; 32]),
    /// The Argon2id hash, in PHC string form, of a secret that a person chose.
    Argon2id(String),
}

/// Why a text is not a secret's hash. Never says what the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SecretError {
    #[error("must be 64 hexadecimal digits: the SHA-256 hash of a generated secret")]
    Sha256,
    #[error("must be an Argon2id hash as a PHC string: `$argon2id$v=19$m=...,t=...,p=...$salt$hash`")]
    Argon2id,
    #[error(
        "an Argon2id hash may cost at most m={MAX_MEMORY_KIB}, t={MAX_PASSES}, p={MAX_LANES}: strangers can make the server compute it"
    )]
    Cost,
}

impl Authenticate {
    pub(crate) fn sha256(hex: &str) -> Result<Self, SecretError> {
        let mut hash = [0; 32];
        match base16ct::mixed::decode(hex, &mut hash) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self::SecretSha256(hash)),
            _ => Err(SecretError::Sha256),
        }
    }

    pub(crate) fn argon2id(phc: &str) -> Result<Self, SecretError> {
        let hash = PasswordHash::new(phc).map_err(|_| SecretError::Argon2id)?;
        let params = Params::try_from(&hash).map_err(|_| SecretError::Argon2id)?;
        if hash.algorithm != Algorithm::Argon2id.ident() || hash.salt.is_none() || hash.hash.is_none() {
            return Err(SecretError::Argon2id);
        }
        let affordable = params.m_cost() <= MAX_MEMORY_KIB
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        if affordable { Ok(Self::Argon2id(phc.to_owned())) } else { Err(SecretError::Cost) }
    }
}

impl fmt::Debug for Authenticate {
    /// Names the way and hides the hash: hashes of secrets do not belong in logs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Generated => "Generated",
            Self::SecretSha256(_) => "SecretSha256(..)",
            Self::Argon2id(_) => "Argon2id(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                       tBTFZ1QbBuwGZ3oUZsxLLqYQ+bZnXrXIRPoEFyCkXxg";

    #[test]
    fn nothing_of_a_hash_is_shown() {
        let hex = "0123456789abcdef".repeat(4);
        let ways = [Authenticate::sha256(&hex).unwrap(), Authenticate::argon2id(PHC).unwrap()];
        assert_eq!(format!("{ways:?}"), "[SecretSha256(..), Argon2id(..)]");
    }

    #[test]
    fn only_whole_hashes_are_taken() {
        for hex in ["", "00", &"0".repeat(63), &"0".repeat(65), &"0".repeat(66), &"g".repeat(64)] {
            assert_eq!(Authenticate::sha256(hex), Err(SecretError::Sha256), "{hex:?}");
        }
        for phc in [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA",
            &PHC.replace("argon2id", "argon2i"),
            &PHC.replace("argon2id", "scrypt"),
        ] {
            assert_eq!(Authenticate::argon2id(phc), Err(SecretError::Argon2id), "{phc:?}");
        }
    }

    #[test]
    fn a_hash_may_not_cost_too_much() {
        for (cheap, dear) in [("m=19456", "m=65537"), ("t=2", "t=9"), ("p=1", "p=5")] {
            assert_eq!(Authenticate::argon2id(&PHC.replace(cheap, dear)), Err(SecretError::Cost), "{dear}");
        }
    }
}
