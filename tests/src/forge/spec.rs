//! What a token is made of, and the making.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{
    key::Key,
    mutation::{Draft, Mutation},
    values::{Values, set},
};
use crate::error::{Result, unexpected};

/// A token as data: its grants, what differs from the common claims, who signs, and what is done afterwards.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Name of a list of grants; [`Forge::default_grants`] when absent.
    #[serde(default)]
    pub grants: Option<String>,
    /// Header members that differ; `@remove` takes one away.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// Claims that differ, by name or JSON pointer (list elements as `name.0`).
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Who signs.
    #[serde(default)]
    pub signer: Signer,
    /// What is done to the text before and after signing, in order.
    #[serde(default)]
    pub mutate: Vec<Mutation>,
}

/// Who signs, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The server's key.
    #[default]
    Issuer,
    /// A key that the server does not know.
    Stranger,
    /// The example key of RFC 8037 appendix A, which everybody has.
    Rfc8037,
    /// The key of an all-zero seed.
    ZeroSeed,
    /// HMAC-SHA256 with the issuer's public key, as raw bytes.
    HmacOfPublicKey,
    /// HMAC-SHA256 with the issuer's public key, as PEM text.
    HmacOfPublicPem,
    /// Sixty-four zero bytes.
    Zeros,
    /// An empty signature.
    Nobody,
}

/// The private key of RFC 8037 appendix A.1.
const RFC8037_SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
    0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// Makes tokens.
#[derive(Debug)]
pub struct Forge {
    /// The key that the server signs with.
    pub issuer: Key,
    /// A key that nobody knows.
    pub stranger: Key,
    /// What every token's claims begin with; may hold placeholders.
    pub claims: Map<String, Value>,
    /// Lists of grants by name.
    pub grants: BTreeMap<String, Value>,
    /// The list of a spec that names none.
    pub default_grants: String,
}

impl Forge {
    /// The token that `spec` describes.
    ///
    /// # Errors
    /// A spec that names what does not exist.
    pub fn make(&self, spec: &TokenSpec, values: &Values) -> Result<Vec<u8>> {
        let name = spec.grants.as_ref().unwrap_or(&self.default_grants);
        let grants =
            self.grants.get(name).cloned().ok_or_else(|| unexpected(format!("no grants `{name}`")))?;
        let mut claims = self.claims.clone();
        claims.insert("authorization_details".to_owned(), grants);
        for (place, value) in &spec.claims {
            set(&mut claims, place, value)?;
        }
        let claims = values.resolve_members(&claims)?;
        let mut header = Map::new();
        for (name, value) in [("alg", "EdDSA"), ("typ", "at+jwt"), ("kid", &self.issuer.kid())] {
            header.insert(name.to_owned(), value.into());
        }
        for (place, value) in &spec.header {
            set(&mut header, place, value)?;
        }
        let header = values.resolve_members(&header)?;
        let mut draft = Draft::new(text(&header)?, text(&claims)?);
        for mutation in &spec.mutate {
            mutation.before_signing(&mut draft)?;
        }
        draft.sign(|message| self.sign(spec.signer, message));
        for mutation in &spec.mutate {
            mutation.after_signing(&mut draft, values)?;
        }
        Ok(draft.finish())
    }

    fn sign(&self, signer: Signer, message: &[u8]) -> Vec<u8> {
        match signer {
            Signer::Issuer => self.issuer.sign(message).to_vec(),
            Signer::Stranger => self.stranger.sign(message).to_vec(),
            Signer::Rfc8037 => Key::from_seed(RFC8037_SEED).sign(message).to_vec(),
            Signer::ZeroSeed => Key::from_seed([0; 32]).sign(message).to_vec(),
            Signer::HmacOfPublicKey => hmac(&self.issuer.public(), message),
            Signer::HmacOfPublicPem => hmac(self.issuer.public_pem().as_bytes(), message),
            Signer::Zeros => vec![0; 64],
            Signer::Nobody => Vec::new(),
        }
    }
}

fn text(members: &Map<String, Value>) -> Result<Vec<u8>> {
    serde_json::to_vec(members).map_err(unexpected)
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length, so that there is no error to report.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Base64url without padding, as JWS wants it.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    URL_SAFE_NO_PAD.encode(bytes).into_bytes()
}
