//! Ed25519 keys in the forms that the server, JWKS and confused verifiers know them by.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// PKCS#8 of an Ed25519 seed (RFC 8410 section 7), up to the seed.
const PKCS8: [u8; 16] = [0x30, 0x2e, 0x02, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 section 4), up to the key.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// A signing key made from a fixed seed: tests are the same at every run.
#[derive(Debug, Clone)]
pub struct Key(SigningKey);

impl Key {
    /// The key of `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The RFC 7638 thumbprint, which is the key's `kid`.
    pub fn kid(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// The public key as the `x` of a JWK.
    pub fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public())
    }

    /// The public key's 32 bytes.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public JWK.
    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": self.x(), "kid": self.kid(), "alg": "EdDSA", "use": "sig"})
    }

    /// The private key as PKCS#8 PEM, the form of the server's key files.
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &[PKCS8.as_slice(), &self.0.to_bytes()].concat())
    }

    /// The public key as PEM, which anybody can get and a confused verifier may take as an HMAC secret.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &[SPKI.as_slice(), &self.public()].concat())
    }

    /// An Ed25519 signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// PEM (RFC 7468) of `der`.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
