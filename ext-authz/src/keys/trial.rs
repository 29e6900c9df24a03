//! Whether the key-encryption key opens what a backup holds, before that takes the place of anything.

use std::collections::BTreeMap;

use super::{KeyEncryption, KeyEncryptionError, KeyError, SharedSecrets, seal::Sealer};

/// The key-encryption key that the next server would use, or why there is none.
pub struct TrialKey(Result<Sealer, KeyEncryptionError>);

impl TrialKey {
    /// Reads the key, and makes none.
    ///
    /// # Errors
    /// It cannot be used. That nobody made one yet is no error until there is something to open.
    pub async fn open(place: &KeyEncryption) -> Result<Self, KeyEncryptionError> {
        match place.open(false).await {
            Err(error @ KeyEncryptionError::Missing(_)) => Ok(Self(Err(error))),
            key => Ok(Self(Ok(key?))),
        }
    }

    /// Opens the sealed secrets of a backup, by name.
    ///
    /// # Errors
    /// A server would not start with them.
    pub fn check(self, secrets: &BTreeMap<String, String>) -> Result<(), KeyError> {
        if secrets.is_empty() {
            return Ok(());
        }
        SharedSecrets::read(secrets, &self.0?)?;
        Ok(())
    }
}
