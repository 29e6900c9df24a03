//! Encryption of what the store keeps secret.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a key-encryption key.
pub(super) const KEK: usize = 32;
/// Says how the rest is to be read: a random nonce, then AES-256-GCM. Another way gets another number.
const FORM: u8 = 1;

/// Encrypts and decrypts with the key-encryption key. Shows nothing of it.
pub(super) struct Sealer {
    key: RandomizedNonceKey,
    /// Where the key is from, for errors.
    place: String,
}

/// What is encrypted. Bound to the ciphertext, so that one secret cannot be put in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose<'n> {
    /// The private half of the signing key with this id.
    SigningKey(&'n str),
    /// The shared secret of this name.
    Secret(&'n str),
}

/// Why something was not decrypted. Says nothing of keys or content.
#[derive(Debug, Error)]
pub enum UnsealError {
    /// It was encrypted under another key, for something else, or was changed.
    #[error(
        "{what} in the store cannot be decrypted with the key-encryption key from {place}: it is another key"
    )]
    OtherKey {
        /// What.
        what: String,
        /// Where the key is from.
        place: String,
    },
    /// Not in a form that this version knows.
    #[error("{what} in the store is encrypted in a way that this version does not know")]
    Form {
        /// What.
        what: String,
    },
}

/// Encryption failed: there are no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("cannot encrypt: no random numbers")]
pub struct SealError;

impl Sealer {
    /// `place` says where the key is from.
    pub(super) fn new(kek: &[u8; KEK], place: String) -> Result<Self, SealError> {
        Ok(Self { key: RandomizedNonceKey::new(&AES_256_GCM, kek).map_err(|_| SealError)?, place })
    }

    /// Encrypts `secret`: base64url of form, nonce, ciphertext and tag.
    pub(super) fn seal(&self, purpose: Purpose<'_>, secret: &[u8]) -> Result<String, SealError> {
        let mut content = Zeroizing::new(secret.to_vec());
        // Room for the tag: moved while it grows, a copy of the secret would stay behind.
        content.reserve_exact(AES_256_GCM.tag_len());
        let aad = Aad::from(purpose.bound());
        let nonce = self.key.seal_in_place_append_tag(aad, &mut *content).map_err(|_| SealError)?;
        let sealed = [&[FORM][..], nonce.as_ref(), &content].concat();
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Decrypts what [`Sealer::seal`] made for the same purpose.
    pub(super) fn open(&self, purpose: Purpose<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let form = || UnsealError::Form { what: purpose.to_string() };
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| form())?;
        let (nonce, content) = match bytes.split_first_chunk() {
            Some(([FORM], rest)) => rest.split_first_chunk::<NONCE_LEN>().ok_or_else(form)?,
            _ => return Err(form()),
        };
        let mut content = Zeroizing::new(content.to_vec());
        let (nonce, aad) = (Nonce::assume_unique_for_key(*nonce), Aad::from(purpose.bound()));
        let opened = self.key.open_in_place(nonce, aad, &mut content);
        let opened = opened
            .map_err(|_| UnsealError::OtherKey { what: purpose.to_string(), place: self.place.clone() })?;
        Ok(Zeroizing::new(opened.to_vec()))
    }
}

impl Purpose<'_> {
    /// The additional authenticated data.
    fn bound(self) -> Vec<u8> {
        let (purpose, name) = match self {
            Self::SigningKey(kid) => ("writ signing key", kid),
            Self::Secret(name) => ("writ shared secret", name),
        };
        [purpose, "\0", name].concat().into_bytes()
    }
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SigningKey(kid) => write!(formatter, "the signing key `{kid}`"),
            Self::Secret(name) => write!(formatter, "the secret `{name}`"),
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sealer").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: Purpose<'_> = Purpose::Secret("audit");

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&[byte; KEK], format!("place {byte}")).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let sealed = sealer(1).seal(PURPOSE, b"hidden").unwrap();
        assert_eq!(**sealer(1).open(PURPOSE, &sealed).unwrap(), *b"hidden");
        assert_ne!(sealed, sealer(1).seal(PURPOSE, b"hidden").unwrap(), "a nonce is used once");
    }

    #[test]
    fn another_key_name_or_purpose_opens_nothing() {
        let sealed = sealer(1).seal(PURPOSE, b"hidden").unwrap();
        let error = sealer(2).open(PURPOSE, &sealed).unwrap_err().to_string();
        assert!(error.contains("the secret `audit`") && error.contains("place 2"), "{error}");
        for other in [Purpose::Secret("hash"), Purpose::SigningKey("audit")] {
            assert!(matches!(sealer(1).open(other, &sealed), Err(UnsealError::OtherKey { .. })), "{other}");
        }
    }

    #[test]
    fn a_changed_text_opens_nothing() {
        let sealed = sealer(1).seal(PURPOSE, b"hidden").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(sealer(1).open(PURPOSE, &URL_SAFE_NO_PAD.encode(&changed)).is_err(), "{index}");
            assert!(sealer(1).open(PURPOSE, &URL_SAFE_NO_PAD.encode(&bytes[..index])).is_err(), "{index}");
        }
        assert!(sealer(1).open(PURPOSE, "no base64!").is_err());
    }

    #[test]
    fn nothing_of_the_key_is_shown() {
        let shown = format!("{:?}", Sealer::new(b"0123456789abcdef0123456789abcdef", "env".into()).unwrap());
        assert_eq!(shown, r#"Sealer { place: "env", .. }"#);
    }
}
