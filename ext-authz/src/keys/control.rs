//! Changing the keys: what operators and the schedule do alike.

use audit::{Event, Lines};
use store::{KeyState, Ledger, Revocation, Store, StoreError, Write, WriteError, Written};
use thiserror::Error;

use super::{
    KeyError, KeyRing, Keys,
    change::{self, Author, Decided},
    schedule,
};
use crate::{clock, config::Config, reload::StoreStatus, server::Api};

/// Readings of the keys before others are left to it.
const ATTEMPTS: usize = 8;
/// Who acts where no operator does.
pub(super) const SCHEDULE: &str = "writ";

/// The means to change the keys.
#[derive(Clone, Debug)]
pub struct KeyControl {
    pub(super) keys: Keys,
    ledger: Ledger,
    pub(super) store: std::sync::Arc<Store>,
    reload: StoreStatus,
    max_ttl: u64,
}

/// Why the keys did not change.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// Nobody knows this key.
    #[error("there is no signing key `{0}`")]
    Unknown(String),
    /// Too many are published.
    #[error("too many keys that were replaced are still needed: their last tokens have not expired")]
    TooMany,
    /// Others were first, again and again.
    #[error("the keys were changed by others, again and again")]
    Outpaced,
    /// The keys cannot be read, or none can be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not written.
    #[error(transparent)]
    Write(WriteError),
}

/// What became of a key that is to be withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Whether it was not withdrawn before.
    pub is_new: bool,
    /// The key that signs from now on.
    pub active: String,
    /// Its revocation, where this call made it.
    pub revocation: Option<Revocation>,
}

impl KeyControl {
    /// The server's own.
    #[must_use]
    pub fn of(api: &Api) -> Self {
        let Config { max_ttl, .. } = *api.config;
        Self {
            keys: api.keys.clone(),
            ledger: api.ledger.clone(),
            store: std::sync::Arc::clone(&api.reads),
            reload: api.store.clone(),
            max_ttl: max_ttl.as_secs(),
        }
    }

    /// Makes a key that will sign as soon as all data planes hold it, and answers with its id. One that waits already is
    /// that key.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn rotate(&self, by: &str) -> Result<String, ChangeError> {
        for _ in 0..ATTEMPTS {
            let ring = self.keys.refresh().await?;
            if let Some(next) = ring.set().in_state(KeyState::Next).next() {
                return Ok(next.public.kid().to_owned());
            }
            if !schedule::has_room(ring.set()) {
                return Err(ChangeError::TooMany);
            }
            let key = self.keys.generate()?;
            let kid = key.kid.clone();
            if self.write(change::make(&ring, key, author(by))).await?.is_some() {
                tracing::info!(kid, by, "made the next signing key");
                return Ok(kid);
            }
        }
        Err(ChangeError::Outpaced)
    }

    /// Withdraws a key: what it signed is refused from now on, by every data plane as soon as it is told. If it signed,
    /// another one does from now on.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub async fn withdraw(
        &self,
        kid: &str,
        by: &str,
        reason: Option<&str>,
    ) -> Result<Withdrawn, ChangeError> {
        for _ in 0..ATTEMPTS {
            let ring = self.keys.refresh().await?;
            match ring.set().find(kid).map(|key| key.state) {
                None => return Err(ChangeError::Unknown(kid.to_owned())),
                Some(KeyState::Withdrawn) => {
                    let active = ring.active().public().kid().to_owned();
                    return Ok(Withdrawn { is_new: false, active, revocation: None });
                }
                Some(_) => {}
            }
            let spare = self.keys.generate()?;
            let Some(decided) = change::withdraw(&ring, kid, &spare, reason, author(by)) else { continue };
            let active = decided.active(&ring).to_owned();
            if let Some(mut revoked) = self.write(decided).await? {
                tracing::warn!(kid, by, "withdrew a signing key: what it signed is refused");
                return Ok(Withdrawn { is_new: true, active, revocation: revoked.pop() });
            }
        }
        Err(ChangeError::Outpaced)
    }

    /// Records the keys that this server put into an empty store, before there was a log.
    pub(super) async fn record_made(&self) {
        let Author { by, at } = author(SCHEDULE);
        let mut events = Lines::new();
        for kid in self.keys.made() {
            events.push(&Event::key_made(at, by, kid));
        }
        if !events.is_empty()
            && let Err(error) = self.ledger.write(Write::Note, events).await
        {
            tracing::warn!(%error, "the making of the first keys is not recorded");
        }
    }

    /// Lets the next key sign; the answer is whether this replica did it.
    pub(super) async fn activate(&self, ring: &KeyRing) -> Result<bool, ChangeError> {
        // A task may be longer than tokens are by today's configuration, and so may be a token of yesterday's.
        let last_task = self.store.last_task_expiry().await?;
        let last_exp = clock::now().0.saturating_add(self.max_ttl).max(last_task);
        let Some(decided) = change::activate(ring, last_exp, author(SCHEDULE)) else { return Ok(false) };
        let kid = decided.active(ring).to_owned();
        let is_done = self.write(decided).await?.is_some();
        if is_done {
            tracing::info!(kid, "the next signing key signs from now on");
        }
        Ok(is_done)
    }

    /// Forgets the keys whose last token expired at an instant that `is_over` says so of.
    pub(super) async fn forget(
        &self,
        ring: &KeyRing,
        is_over: impl Fn(u64) -> bool,
    ) -> Result<bool, ChangeError> {
        match change::forget(ring, is_over) {
            Some(decided) => Ok(self.write(decided).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Writes a change, and takes it up. What was revoked with it; `None`: another was first, and is taken up.
    async fn write(
        &self,
        Decided { change, events }: Decided,
    ) -> Result<Option<Vec<Revocation>>, ChangeError> {
        let revoked = match self.ledger.write(Write::Keys(change), events).await {
            Ok(Written::Keys { sequence: _, revoked }) => Some(revoked),
            Ok(_) => Some(Vec::new()),
            Err(WriteError::KeysChanged) => None,
            Err(error) => return Err(ChangeError::Write(error)),
        };
        // What was committed is done, also where this replica cannot read it yet: it issues nothing until it has.
        if let Err(error) = self.keys.refresh().await {
            tracing::warn!(%error, "the signing keys changed, and cannot be read yet");
        }
        self.reload.read_now().await;
        Ok(revoked)
    }
}

fn author(by: &str) -> Author<'_> {
    Author { by, at: clock::now_millis().0 }
}
