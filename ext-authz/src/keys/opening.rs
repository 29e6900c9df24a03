//! The keys at a start: those of the store, and at the first start those that it is given.

use std::{fs::File, path::Path};

use aws_lc_rs::rand;
use store::{KeyState, Keys as StoredKeys, Level, RevocationFilter, SigningKey as StoredKey, Store};
use zeroize::Zeroizing;

use super::{
    KeyEncryption, KeyError, KeyRing, KeySet, PublicKey, SharedSecrets, SigningKey,
    import::{self, Imported},
    seal::{Purpose, Sealer},
    shared::{AUDIT, AUDIT_BYTES, HASH, HASH_BYTES},
};
use crate::{clock, config::Config, files};

/// The epoch of a store that no backup was ever restored into.
const FIRST_EPOCH: u64 = 1;

/// What the keys are at a start.
pub(super) struct Opened {
    pub(super) ring: KeyRing,
    pub(super) secrets: SharedSecrets,
    pub(super) sealer: Sealer,
    /// Ids of keys that this start put into the store.
    pub(super) made: Vec<String>,
}

/// Reads the keys. A store that never had any gets those that an earlier release left in files, apart from withdrawn ones,
/// or else new ones; one that a backup was restored into gets new ones. Of several replicas that start at once one gives it
/// its own, and all use these.
///
/// # Errors
/// See [`KeyError`].
pub(super) async fn open(config: &Config, store: &Store) -> Result<Opened, KeyError> {
    let _lock = lock(config)?;
    let stored = store.keys().await?;
    let secrets = store.sealed_secrets().await?;
    let is_first = stored.keys.is_empty() && secrets.is_empty();
    let sealer = config.key_encryption.open(is_first).await?;
    if config.key_encryption.is_inside(&config.data_dir) {
        tracing::warn!(
            place = %config.key_encryption,
            "the key-encryption key lies beside the data: who copies `data_dir` has both. Say in `key_encryption` where \
             another one is"
        );
    }
    let secrets = match SharedSecrets::read(&secrets, &sealer)? {
        Some(secrets) => secrets,
        None => make_secrets(config, store, &sealer).await?,
    };
    let made =
        if stored.head.keys == 0 { make_keys(config, store, &stored, &sealer).await? } else { Vec::new() };
    let stored = if stored.head.keys == 0 { store.keys().await? } else { stored };
    Ok(Opened { ring: KeyRing::read(&stored, &sealer)?, secrets, sealer, made })
}

/// What everyone may know of the keys, for whoever does not serve.
///
/// # Errors
/// The store cannot be read, or was never served from.
pub async fn published_keys(config: &Config) -> Result<KeySet, KeyError> {
    KeySet::read(&existing(config).await?)
}

/// The same, with the secrets that replicas share.
///
/// # Errors
/// As [`published_keys`]; or there is no key-encryption key.
pub async fn shared_keys(config: &Config) -> Result<(KeySet, SharedSecrets), KeyError> {
    let set = published_keys(config).await?;
    let secrets = Store::existing(config.store.clone()).sealed_secrets().await?;
    let sealer = config.key_encryption.open(false).await?;
    let secrets = SharedSecrets::read(&secrets, &sealer)?;
    Ok((set, secrets.ok_or_else(|| KeyError::None(config.store.to_string()))?))
}

async fn existing(config: &Config) -> Result<StoredKeys, KeyError> {
    let none = || KeyError::None(config.store.to_string());
    if config.store.path().is_some_and(|path| !path.exists()) {
        return Err(none());
    }
    let stored = Store::existing(config.store.clone()).keys().await?;
    if stored.head.keys == 0 { Err(none()) } else { Ok(stored) }
}

/// One replica at a time, where several make their first start with one directory: they must find the same file.
fn lock(config: &Config) -> Result<Option<File>, KeyError> {
    if let KeyEncryption::Default(_) = config.key_encryption {
        files::make_private_directory(&config.keys_dir)?;
    }
    let Ok(directory) = File::open(&config.keys_dir) else { return Ok(None) };
    // Not every file system has locks, and a key that is there needs none.
    let _ = directory.lock();
    Ok(Some(directory))
}

async fn make_secrets(config: &Config, store: &Store, sealer: &Sealer) -> Result<SharedSecrets, KeyError> {
    let hash = ["hash.key"].map(|name| config.keys_dir.join(name)).into_iter();
    let hash: Vec<_> = hash.chain([config.data_dir.join("hash.key")]).collect();
    let hash = secret::<HASH_BYTES>(&hash)?;
    let audit = secret::<AUDIT_BYTES>(&[config.keys_dir.join("audit.key")])?;
    let now = clock::now().0;
    for (name, secret) in [(HASH, hash.as_slice()), (AUDIT, audit.as_slice())] {
        let sealed = sealer.seal(Purpose::Secret(name), secret)?;
        store.add_sealed_secret(name, &sealed, now).await?;
    }
    let secrets = SharedSecrets::read(&store.sealed_secrets().await?, sealer)?;
    secrets.ok_or_else(|| KeyError::None(config.store.to_string()))
}

/// The secret in one of these files, or a new one.
fn secret<const N: usize>(paths: &[std::path::PathBuf]) -> Result<Zeroizing<[u8; N]>, KeyError> {
    if let Some(secret) = import::secret(paths)? {
        return Ok(secret);
    }
    let mut secret = Zeroizing::new([0; N]);
    rand::fill(&mut *secret).map_err(|_| KeyError::Random)?;
    Ok(secret)
}

async fn make_keys(
    config: &Config,
    store: &Store,
    stored: &StoredKeys,
    sealer: &Sealer,
) -> Result<Vec<String>, KeyError> {
    let now = clock::now().0;
    let imported = match stored.head.epoch {
        FIRST_EPOCH => import::signing_keys(&config.keys_dir)?,
        // One that was withdrawn after the backup was made would sign again.
        _ => None,
    };
    let imported = match imported {
        Some(imported) => without_revoked(imported, store, now).await?,
        None => None,
    };
    let is_import = imported.is_some();
    let Imported { active, others } = match imported {
        Some(imported) => imported,
        None => Imported { active: SigningKey::generate()?, others: Vec::new() },
    };
    let mut keys =
        vec![StoredKey { state: KeyState::Active, active_at: Some(now), ..seal(&active, sealer, now)? }];
    // What they signed before, they may have signed until now.
    let last_exp = now.saturating_add(config.max_ttl.as_secs());
    keys.extend(others.iter().map(|public| StoredKey {
        state: KeyState::Retired,
        retired_at: Some(now),
        last_exp: Some(last_exp),
        ..public_only(public, now)
    }));
    let kids = keys.iter().map(|key| key.kid.clone()).collect();
    if !store.begin_keys(&keys).await? {
        return Ok(Vec::new());
    }
    tell(&active, is_import.then_some(config.keys_dir.as_path()));
    Ok(kids)
}

/// What may still be used of the keys that were found: nothing, if the one that signs is withdrawn.
async fn without_revoked(
    Imported { active, mut others }: Imported,
    store: &Store,
    now: u64,
) -> Result<Option<Imported>, KeyError> {
    let mut withdrawn = Vec::new();
    for public in others.iter().chain([active.public()]) {
        let (level, name) = (Some(Level::Key), Some(public.kid().to_owned()));
        let filter =
            RevocationFilter { level, name, stands: Some(true), limit: 1, now, ..Default::default() };
        if !store.revocations(&filter).await?.is_empty() {
            withdrawn.push(public.kid().to_owned());
        }
    }
    if !withdrawn.is_empty() {
        tracing::warn!(?withdrawn, "left keys of an earlier release alone that are withdrawn");
    }
    others.retain(|public| !withdrawn.iter().any(|kid| kid == public.kid()));
    let is_withdrawn = withdrawn.iter().any(|kid| kid == active.public().kid());
    Ok((!is_withdrawn).then_some(Imported { active, others }))
}

fn tell(active: &SigningKey, imported: Option<&Path>) {
    let kid = active.public().kid();
    match imported {
        Some(directory) => tracing::warn!(
            kid,
            directory = %directory.display(),
            "took the keys of an earlier release into the store, encrypted: its `.pem` files, `active`, `hash.key` and \
             `audit.key` are not read again, and should be removed"
        ),
        None => tracing::info!(kid, "made the signing key"),
    }
}

/// A new key's row: `next`.
pub(super) fn seal(key: &SigningKey, sealer: &Sealer, now: u64) -> Result<StoredKey, KeyError> {
    let public = key.public();
    let sealed = sealer.seal(Purpose::SigningKey(public.kid()), &key.to_pkcs8()?)?;
    Ok(StoredKey { sealed: Some(sealed), ..public_only(public, now) })
}

fn public_only(public: &PublicKey, now: u64) -> StoredKey {
    StoredKey {
        kid: public.kid().to_owned(),
        alg: public.alg().to_owned(),
        public_key: public.x().to_owned(),
        sealed: None,
        state: KeyState::Next,
        created_at: now,
        active_at: None,
        retired_at: None,
        last_exp: None,
    }
}
