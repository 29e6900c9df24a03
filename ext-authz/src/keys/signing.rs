//! The half of a key that stays here.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use verdict::token::Claims;
use zeroize::Zeroizing;

use super::{KeyError, PublicKey};

/// PEM label of an unencrypted PKCS#8 key (RFC 7468 section 10).
const LABEL: &str = "PRIVATE KEY";

/// A key that signs task tokens.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
    /// The first part of every token, with its full stop.
    header: String,
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

/// The token was not signed. There is nothing a caller could do about it.
#[derive(Debug, Error)]
#[error("signing failed")]
pub struct SigningError;

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
        let der = Zeroizing::new(block.into_contents());
        Self::from_pkcs8(&der)
    }

    /// Reads the same in binary.
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| SigningKeyError::Pkcs8)?;
        Ok(Self::from_pair(pair))
    }

    fn from_pair(pair: Ed25519KeyPair) -> Self {
        let public = PublicKey::from_bytes(pair.public_key().as_ref());
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, public.kid());
        Self { header: URL_SAFE_NO_PAD.encode(header) + ".", public, pair }
    }

    /// A key that exists nowhere else.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self::from_pair).map_err(|_| KeyError::Random)
    }

    /// Both halves in PKCS#8, version 1 of the form: that is what other tools read.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(|_| KeyError::Random)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The half that everyone may know.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `claims` as a task token: a compact JWS (RFC 7515 section 3.1).
    ///
    /// # Errors
    /// The library failed.
    pub fn sign(&self, claims: &Claims) -> Result<String, SigningError> {
        let claims = serde_json::to_vec(claims).map_err(|_| SigningError)?;
        // Four characters of base64 say three bytes; a signature has 64 bytes.
        let mut token = String::with_capacity(self.header.len() + claims.len() / 3 * 4 + 96);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.try_sign(token.as_bytes()).map_err(|_| SigningError)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for SigningKey {
    /// The id and nothing else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("kid", &self.public.kid()).finish_non_exhaustive()
    }
}
