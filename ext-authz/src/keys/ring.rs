//! All keys of the store at one instant: those that verify, and the one that signs.

use store::{KeyState, Keys as StoredKeys, SigningKey as StoredKey};

use super::{
    KeyError, PublicKey, SigningKey,
    seal::{Purpose, Sealer},
};

/// What everyone may know of the keys: read without the key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    sequence: u64,
    keys: Vec<ListedKey>,
}

/// A key and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub public: PublicKey,
    /// What it is good for.
    pub state: KeyState,
    /// When it was made, Unix seconds, as all instants here.
    pub created_at: u64,
    /// When it began to sign.
    pub active_at: Option<u64>,
    /// When it ceased to.
    pub retired_at: Option<u64>,
    /// No token that it signed is valid after this instant; `None` while it signs.
    pub last_exp: Option<u64>,
}

/// The keys, and the private half of the one that signs.
#[derive(Debug)]
pub struct KeyRing {
    set: KeySet,
    active: SigningKey,
    /// As they are kept, so that a change can say what they are from then on.
    stored: Vec<StoredKey>,
}

impl KeySet {
    /// Reads what the store holds.
    ///
    /// # Errors
    /// A key that is not what its row says, or not one that signs.
    pub(super) fn read(stored: &StoredKeys) -> Result<Self, KeyError> {
        let keys = stored.keys.iter().map(ListedKey::read).collect::<Result<Vec<_>, _>>()?;
        let set = Self { sequence: stored.head.keys, keys };
        match set.in_state(KeyState::Active).count() {
            1 => Ok(set),
            active => Err(KeyError::Active(active)),
        }
    }

    /// Raised with every change of the keys.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Every key that verifies, the one that signs first. In the same order at every replica.
    pub fn published(&self) -> impl Iterator<Item = &PublicKey> {
        let states = [KeyState::Active, KeyState::Next, KeyState::Retired];
        states.into_iter().flat_map(|state| self.in_state(state)).map(|key| &key.public)
    }

    /// All keys, withdrawn ones too, in the order in which they were made.
    #[must_use]
    pub fn keys(&self) -> &[ListedKey] {
        &self.keys
    }

    /// Keys in this state.
    pub fn in_state(&self, state: KeyState) -> impl Iterator<Item = &ListedKey> {
        self.keys.iter().filter(move |key| key.state == state)
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&ListedKey> {
        self.keys.iter().find(|key| key.public.kid() == kid)
    }
}

impl ListedKey {
    fn read(stored: &StoredKey) -> Result<Self, KeyError> {
        // What is encrypted is read where it is needed.
        let StoredKey { kid, alg, public_key, sealed: _, state, created_at, active_at, retired_at, last_exp } =
            stored;
        let public = PublicKey::parse(public_key).filter(|key| key.kid() == kid && key.alg() == alg);
        Ok(Self {
            public: public.ok_or_else(|| KeyError::Damaged(kid.clone()))?,
            state: *state,
            created_at: *created_at,
            active_at: *active_at,
            retired_at: *retired_at,
            last_exp: *last_exp,
        })
    }
}

impl KeyRing {
    /// Reads what the store holds.
    ///
    /// # Errors
    /// See [`KeySet::read`]; or what should sign is encrypted under another key.
    pub(super) fn read(stored: &StoredKeys, sealer: &Sealer) -> Result<Self, KeyError> {
        let set = KeySet::read(stored)?;
        let active = stored.keys.iter().find(|key| key.state == KeyState::Active);
        let Some(StoredKey { kid, sealed: Some(sealed), .. }) = active else {
            return Err(KeyError::Active(0));
        };
        let key = SigningKey::from_pkcs8(&sealer.open(Purpose::SigningKey(kid), sealed)?);
        let active = key.map_err(|_| KeyError::Damaged(kid.clone()))?;
        // Or tokens would be signed that nobody verifies.
        if active.public().kid() != kid {
            return Err(KeyError::Damaged(kid.clone()));
        }
        Ok(Self { set, active, stored: stored.keys.clone() })
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self) -> &SigningKey {
        &self.active
    }

    /// What everyone may know.
    #[must_use]
    pub fn set(&self) -> &KeySet {
        &self.set
    }

    /// See [`KeySet::sequence`]. A token that was signed under another one is not issued.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.set.sequence
    }

    /// Keys in this state, as they are kept.
    pub(super) fn stored(&self, state: KeyState) -> impl Iterator<Item = &StoredKey> {
        self.stored.iter().filter(move |key| key.state == state)
    }

    /// The key with this id, as it is kept.
    pub(super) fn find_stored(&self, kid: &str) -> Option<&StoredKey> {
        self.stored.iter().find(|key| key.kid == kid)
    }

    /// See [`KeySet::published`].
    pub fn public(&self) -> impl Iterator<Item = &PublicKey> {
        self.set.published()
    }
}
