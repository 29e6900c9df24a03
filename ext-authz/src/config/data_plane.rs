//! Data planes: who may ask for verdicts.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};

/// An Envoy, or a group of them, that may call `Check` over TCP with a bearer secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPlane {
    /// For logs.
    pub name: String,
    /// SHA-256 of a generated secret of at least 256 bits.
    #[serde(deserialize_with = "hash")]
    pub secret_sha256: [u8; 32],
}

impl fmt::Debug for DataPlane {
    /// The name and nothing else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DataPlane").field("name", &self.name).finish_non_exhaustive()
    }
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut hash = [0; 32];
    match base16ct::mixed::decode(&text, &mut hash) {
        Ok(decoded) if decoded.len() == 32 => Ok(hash),
        _ => Err(D::Error::custom("must be 64 hexadecimal digits: the SHA-256 hash of a generated secret")),
    }
}
