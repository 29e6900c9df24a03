//! The half of a key that everyone may know.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use verdict::document::KeyDocument;

/// An Ed25519 public key as a JWK (RFC 8037 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
}

impl PublicKey {
    /// A key from the bytes of RFC 8032 section 5.1.5.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(bytes);
        Self { kty: "OKP", crv: "Ed25519", alg: "EdDSA", usage: "sig", kid: thumbprint(&x), x }
    }

    /// A key from the member `x` of its JWK; `None` for anything but base64url of 32 bytes.
    #[must_use]
    pub fn parse(x: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(x).ok()?;
        (bytes.len() == 32).then(|| Self::from_bytes(&bytes))
    }

    /// Its algorithm, as in a token's header.
    #[must_use]
    pub fn alg(&self) -> &str {
        self.alg
    }

    /// The key itself, in base64url.
    #[must_use]
    pub fn x(&self) -> &str {
        &self.x
    }

    /// The key's id: its thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as snapshots hold it.
    #[must_use]
    pub fn to_document(&self) -> KeyDocument {
        KeyDocument { kid: self.kid.clone(), alg: self.alg.to_owned(), x: self.x.clone() }
    }
}

/// RFC 7638 thumbprint, base64url, of the Ed25519 key whose member `x` this is.
#[must_use]
pub fn thumbprint(x: &str) -> String {
    // The required members in lexicographic order, without white space (RFC 7638 section 3, RFC 8037 section 2).
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
