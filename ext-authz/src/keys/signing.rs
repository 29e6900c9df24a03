//! The half of a key that stays here.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use thiserror::Error;
use verdict::token::Claims;

use super::{KeyError, PublicKey, generate::generate_pem};

/// PEM label of an unencrypted PKCS#8 key (RFC 7468 section 10).
const LABEL: &str = "PRIVATE KEY";

/// A key that signs task tokens.
pub struct SigningKey {
    secret: EncodingKey,
    public: PublicKey,
}

/// Why a text is not a signing key. Never says what the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SigningKeyError {
    /// Not one PEM block of the right label.
    #[error("not one PEM block `-----BEGIN PRIVATE KEY-----`")]
    Pem,
    /// Another kind of key, an encrypted one, or a damaged one.
    #[error("not an unencrypted Ed25519 key in PKCS#8 form")]
    Pkcs8,
}

/// The library could not sign. There is nothing a caller could do about it.
#[derive(Debug, Error)]
#[error("signing failed")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

impl SigningKey {
    /// Reads a PKCS#8 PEM file's content (RFC 8410 section 7).
    ///
    /// # Errors
    /// Anything but one unencrypted Ed25519 key.
    pub fn from_pem(text: &[u8]) -> Result<Self, SigningKeyError> {
        let block = pem::parse(text).map_err(|_| SigningKeyError::Pem)?;
        if block.tag() != LABEL {
            return Err(SigningKeyError::Pem);
        }
        let der = block.contents();
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| SigningKeyError::Pkcs8)?;
        let public = PublicKey::from_bytes(pair.public_key().as_ref());
        Ok(Self { secret: EncodingKey::from_ed_der(der), public })
    }

    /// A key that exists nowhere else.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pem(generate_pem()?.as_bytes()).map_err(|_| KeyError::Random)
    }

    /// The half that everyone may know.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `claims` as a task token.
    ///
    /// # Errors
    /// The library failed.
    pub fn sign(&self, claims: &Claims) -> Result<String, SigningError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.public.kid().to_owned());
        Ok(encode(&header, claims, &self.secret)?)
    }
}

impl fmt::Debug for SigningKey {
    /// The id and nothing else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("kid", &self.public.kid()).finish_non_exhaustive()
    }
}
