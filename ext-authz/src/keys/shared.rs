//! Secrets that replicas share beside the signing keys.

use std::{collections::BTreeMap, fmt};

use audit::ChainKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use verdict::revocation::HashKey;

use super::{
    KeyError,
    seal::{Purpose, Sealer},
};

/// Key of revocation hashes: its name in the store, and its bytes.
pub(super) const HASH: &str = "hash_key";
pub(super) const HASH_BYTES: usize = 16;
/// Key of the audit log.
pub(super) const AUDIT: &str = "audit_key";
pub(super) const AUDIT_BYTES: usize = 32;

/// The secrets, as they are used.
#[derive(Clone)]
pub struct SharedSecrets {
    hash_key: String,
    revocations: HashKey,
    audit: ChainKey,
}

impl SharedSecrets {
    /// `None`: one of them was never made.
    pub(super) fn read(stored: &BTreeMap<String, String>, sealer: &Sealer) -> Result<Option<Self>, KeyError> {
        let Some(hash_key) = open::<HASH_BYTES>(stored, HASH, sealer)? else { return Ok(None) };
        let Some(audit) = open::<AUDIT_BYTES>(stored, AUDIT, sealer)? else { return Ok(None) };
        Ok(Some(Self {
            hash_key: URL_SAFE_NO_PAD.encode(hash_key),
            revocations: HashKey::from_bytes(hash_key),
            audit: ChainKey::from_bytes(audit),
        }))
    }

    /// The key of revocation hashes in its wire form, base64url of 16 bytes. Data planes get it, strangers do not.
    #[must_use]
    pub fn hash_key(&self) -> &str {
        &self.hash_key
    }

    /// The same, to hash with.
    #[must_use]
    pub fn revocation_key(&self) -> HashKey {
        self.revocations
    }

    /// The key of the audit log's heads.
    #[must_use]
    pub fn audit_key(&self) -> &ChainKey {
        &self.audit
    }
}

fn open<const N: usize>(
    stored: &BTreeMap<String, String>,
    name: &str,
    sealer: &Sealer,
) -> Result<Option<[u8; N]>, KeyError> {
    let Some(sealed) = stored.get(name) else { return Ok(None) };
    let secret = sealer.open(Purpose::Secret(name), sealed)?;
    let bytes = secret.as_slice().try_into().map_err(|_| KeyError::Damaged(name.to_owned()))?;
    Ok(Some(bytes))
}

impl fmt::Debug for SharedSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedSecrets").finish_non_exhaustive()
    }
}
