//! The keys as they are now.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use store::{SigningKey as StoredKey, Store};
use tokio::sync::Mutex;

use super::{KeyError, KeyRing, KeySet, SharedSecrets, SigningKey, opening, seal::Sealer};
use crate::{clock, config::Config};

/// The keys of the store, as this replica read them last. Whoever signs or publishes loads them anew each time.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    sealer: Sealer,
    secrets: SharedSecrets,
    ring: ArcSwap<KeyRing>,
    /// Held while the store is read, so that an older reading never replaces a newer one.
    reading: Mutex<()>,
    made: Vec<String>,
}

impl Keys {
    /// Reads the keys of `store`. One that has none gets those that an earlier release left in `keys_dir`, or else new
    /// ones.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn open(config: &Config, store: Arc<Store>) -> Result<Self, KeyError> {
        let opening::Opened { ring, secrets, sealer, made } = opening::open(config, &store).await?;
        let (ring, reading) = (ArcSwap::from_pointee(ring), Mutex::default());
        Ok(Self(Arc::new(Inner { store, sealer, secrets, ring, reading, made })))
    }

    /// The keys as they were read last. Costs no lock.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        self.0.ring.load_full()
    }

    /// Reads the store, and answers with what it says now.
    ///
    /// # Errors
    /// The store cannot be read, or holds a key that this server cannot use. What was read before goes on.
    pub async fn refresh(&self) -> Result<Arc<KeyRing>, KeyError> {
        let _reading = self.0.reading.lock().await;
        let stored = self.0.store.keys().await?;
        let current = self.current();
        // A store that was restored may have other keys under the same number.
        if KeySet::read(&stored)? == *current.set() {
            return Ok(current);
        }
        let ring = Arc::new(KeyRing::read(&stored, &self.0.sealer)?);
        let (kid, sequence) = (ring.active().public().kid(), ring.sequence());
        tracing::info!(kid, sequence, "took up the store's signing keys");
        self.0.ring.store(Arc::clone(&ring));
        Ok(ring)
    }

    /// Secrets that replicas share beside the signing keys.
    #[must_use]
    pub fn secrets(&self) -> &SharedSecrets {
        &self.0.secrets
    }

    /// Ids of the keys that this server put into an empty store.
    #[must_use]
    pub fn made(&self) -> &[String] {
        &self.0.made
    }

    /// A new key, as the store keeps it.
    ///
    /// # Errors
    /// There are no random numbers.
    pub(super) fn generate(&self) -> Result<StoredKey, KeyError> {
        opening::seal(&SigningKey::generate()?, &self.0.sealer, clock::now().0)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").field("sequence", &self.current().sequence()).finish_non_exhaustive()
    }
}
