//! One credential, kept.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use policy::Credential;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    Rendered, Secret,
    pause::pause,
    provider::{Provided, Provider, ProviderError, place, provider},
};
use crate::telemetry::{credentials as metrics, quiet::Quiet};

/// Longest that a provider may take.
const ASK: Duration = Duration::from_secs(10);
/// Longest that a lease waits for it: a filter waits for two seconds. What comes later is there for the next one.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Longest that a Check does, for which the shipped Envoys wait half a second.
const CHECK_PATIENCE: Duration = Duration::from_millis(400);
/// A secret that is replaced where it is kept is asked for so often, while it is in use.
const LOOK: Duration = Duration::from_secs(1);
/// So much longer than a lease it lasts while it cannot be read.
const GRACE: Duration = Duration::from_secs(3);
/// A token is not used in its last moments, in which it would expire on its way; at most a tenth of its life.
const MARGIN: Duration = Duration::from_secs(10);

/// Caches a credential, renews it ahead of its end while somebody uses it, and asks once however many wait.
pub struct Keeper {
    credential: Credential,
    provider: Box<dyn Provider>,
    name: String,
    kept: Mutex<Memory>,
    said: Quiet,
}

/// A credential for now.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The header field.
    pub rendered: Rendered,
    /// It must not be used from this instant on.
    pub until: Instant,
    renew_at: Instant,
}

#[derive(Default)]
struct Memory {
    kept: Option<Kept>,
    /// The question in flight; it tells of its end by closing.
    flight: Option<watch::Receiver<()>>,
    /// Failures in a row, and when to ask again.
    failures: u32,
    not_before: Option<Instant>,
    /// Why there is none, for whoever looks at a denial.
    reason: Option<Arc<ProviderError>>,
}

/// There is none now. The reason is in the log.
#[derive(Clone, Debug)]
pub struct Unavailable(pub Option<Arc<ProviderError>>);

impl Keeper {
    pub(super) fn new(name: &str, credential: &Credential) -> Arc<Self> {
        Arc::new(Self {
            provider: provider(&credential.secret),
            credential: credential.clone(),
            name: name.to_owned(),
            kept: Mutex::default(),
            said: Quiet::new(),
        })
    }

    pub(super) fn is_of(&self, credential: &Credential) -> bool {
        self.credential == *credential
    }

    /// The header field's name.
    #[must_use]
    pub fn header(&self) -> &str {
        self.credential.inject.header()
    }

    /// What is here, without waiting. Where it ends soon, or is not here, it is asked for.
    #[must_use]
    pub fn now(self: &Arc<Self>) -> Option<Kept> {
        self.look().0
    }

    /// What is here, or is here soon.
    ///
    /// # Errors
    /// The provider fails, or is too slow.
    pub async fn soon(self: &Arc<Self>) -> Result<Kept, Unavailable> {
        match self.look() {
            (Some(kept), _) => Ok(kept),
            (None, flight) => self.wait(flight, CHECK_PATIENCE).await,
        }
    }

    /// As [`Keeper::soon`], but what is due to be renewed is renewed first, if that can be: whoever takes it along has it for a
    /// while, and as it is now.
    pub(super) async fn fresh(self: &Arc<Self>) -> Result<Kept, Unavailable> {
        match self.look() {
            (Some(kept), _) if Instant::now() < kept.renew_at => Ok(kept),
            (_, flight) => self.wait(flight, PATIENCE).await,
        }
    }

    async fn wait(
        &self,
        flight: Option<watch::Receiver<()>>,
        patience: Duration,
    ) -> Result<Kept, Unavailable> {
        if let Some(mut flight) = flight {
            // It ends by closing, which is an error to the channel.
            let _ = timeout(patience, flight.changed()).await;
        }
        let memory = self.lock();
        memory.usable().ok_or_else(|| Unavailable(memory.reason.clone()))
    }

    fn look(self: &Arc<Self>) -> (Option<Kept>, Option<watch::Receiver<()>>) {
        let now = Instant::now();
        let mut memory = self.lock();
        let kept = memory.usable();
        let is_due = kept.as_ref().is_none_or(|kept| now >= kept.renew_at);
        let may_ask = memory.not_before.is_none_or(|instant| now >= instant);
        if is_due && may_ask && memory.flight.is_none() {
            let (landed, flight) = watch::channel(());
            memory.flight = Some(flight);
            let keeper = Arc::clone(self);
            // Not the caller's: who gives up waiting does not end it for the others.
            tokio::spawn(async move {
                keeper.renew().await;
                drop(landed);
            });
        }
        (kept, memory.flight.clone())
    }

    async fn renew(&self) {
        let asked_at = Instant::now();
        let asked = timeout(ASK, self.provider.ask()).await;
        let place = || place(&self.credential.secret);
        let asked = asked.unwrap_or_else(|_| Err(ProviderError::Slow { place: place(), limit: ASK }));
        let kept = asked.and_then(|Provided { secret, lifetime }| {
            let rendered = self.render(&secret)?;
            Ok(self.keep(rendered, lifetime, asked_at))
        });
        metrics::fetched(kept.is_ok());
        let mut memory = self.lock();
        memory.flight = None;
        match kept {
            Ok(kept) => {
                if memory.failures > 0 {
                    tracing::info!(credential = self.name, "a credential can be had again");
                }
                *memory = Memory { kept: Some(kept), ..Memory::default() };
            }
            Err(error) => {
                let wait = pause(&self.credential.secret, memory.failures);
                memory.failures = memory.failures.saturating_add(1);
                memory.not_before = Some(Instant::now() + wait);
                if self.said.is_over() {
                    let in_use = memory.usable().is_some();
                    tracing::warn!(credential = self.name, %error, in_use, "a credential cannot be had");
                }
                memory.reason = Some(Arc::new(error));
            }
        }
    }

    fn render(&self, secret: &Secret) -> Result<Rendered, ProviderError> {
        Rendered::new(&self.credential.inject, secret)
            .map_err(|reason| ProviderError::Unsendable { place: place(&self.credential.secret), reason })
    }

    fn keep(&self, rendered: Rendered, lifetime: Option<Duration>, asked_at: Instant) -> Kept {
        let lease = self.credential.lease;
        let (life, renew) = match lifetime {
            None => (lease + GRACE, LOOK.min(lease / 2)),
            Some(life) => {
                let life = life.saturating_sub(MARGIN.min(life / 10));
                (life, life * 3 / 4)
            }
        };
        Kept { rendered, until: asked_at + life, renew_at: asked_at + renew }
    }

    /// How long a data plane may use `kept`.
    pub(super) fn lease(&self, kept: &Kept) -> Duration {
        kept.until.saturating_duration_since(Instant::now()).min(self.credential.lease)
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn usable(&self) -> Option<Kept> {
        self.kept.clone().filter(|kept| Instant::now() < kept.until)
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keeper").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(reason) => reason.fmt(formatter),
            None => formatter.write_str("its provider takes long"),
        }
    }
}
