//! Making a key.

use aws_lc_rs::signature::Ed25519KeyPair;
use pem::{EncodeConfig, LineEnding, Pem};

use super::ring::KeyError;

/// A new Ed25519 key as PKCS#8 PEM, version 1 of the form: that is what other tools read.
pub(super) fn generate_pem() -> Result<String, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Random)?;
    let der = pair.to_pkcs8v1().map_err(|_| KeyError::Random)?;
    let block = Pem::new("PRIVATE KEY", der.as_ref());
    Ok(pem::encode_config(&block, EncodeConfig::new().set_line_ending(LineEnding::LF)))
}
