//! A look at the policy directory or the store, and what follows from it.

use std::{path::PathBuf, time::Duration};

use policy::Policy;
use store::{Contents, Head, PolicyHead};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    Opening, Publisher, Rejection, StoreFault, StoreStatus,
    decision::{Decision, Occasion, decide},
    found::{Found, place},
    opening::ATTEMPTS,
    publisher::Published,
    shared::Latest,
};
use crate::{
    clients::GeneratedError,
    clock::Moment,
    config::{Config, PolicySource},
    server::ServerError,
    state::{Current, State},
    telemetry::metrics,
};

/// A change counts once the directory reads the same twice, this far apart: an editor or a copy may be half way.
const QUIET: Duration = Duration::from_millis(100);
/// Reads of a directory that changes all the time, before it is taken as it is.
const RESTLESS: usize = 20;

/// Publishes what changes in the policy directory, and takes up what other replicas published. The only one of this
/// process to do so.
pub struct Reloader {
    publisher: Publisher,
    current: Current,
    status: StoreStatus,
    /// What the store said when it was read last.
    head: Head,
    /// The policy of `head`.
    latest: Latest,
    /// Why that is not what is served. While it is not, nobody knows what it took back: what is served grows stale.
    unserved: Option<Rejection>,
    /// What the last look found, so that each edit is tried and logged once.
    found: Found,
    /// The generation that the directory held last, as far as it held one: an edit to an older one is a rollback, and
    /// one to a later one is no more than a replica catching up.
    held: Option<u64>,
    /// What was found could not be published, because the store is away.
    is_pending: bool,
}

/// Those who ask for a read of the store.
pub(super) type Asked = mpsc::Receiver<oneshot::Sender<()>>;

impl Reloader {
    /// Goes on from what the server started with.
    #[must_use]
    pub fn new(opening: Opening) -> (Current, StoreStatus, Self, AskedReads) {
        let Opening { publisher, state, head, latest, found, held, as_of } = opening;
        let current = Current::new(state);
        let (status, asked) = StoreStatus::new();
        current.set_policy_as_of(as_of);
        status.read(as_of.at_latest());
        let reloader = Self {
            publisher,
            current: current.clone(),
            status: status.clone(),
            head,
            latest,
            unserved: None,
            found,
            held,
            is_pending: false,
        };
        (current, status, reloader, AskedReads(asked))
    }

    /// Where policy is read from; `None` if it cannot change.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        match &self.config().policy {
            PolicySource::Directory(directory) => Some(directory.clone()),
            PolicySource::Example => None,
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.publisher.config
    }

    /// Looks at the directory, and publishes what changed since the last look.
    pub(super) async fn look(&mut self) {
        let Some(directory) = self.directory() else { return };
        let mut found = Found::look(&directory);
        if found == self.found {
            return;
        }
        for _ in 0..RESTLESS {
            sleep(QUIET).await;
            let again = Found::look(&directory);
            if again == found {
                break;
            }
            found = again;
        }
        if found != self.found {
            self.found = found;
            self.is_pending = false;
            self.take_up().await;
        }
    }

    /// Reads the store, takes up what is new there, and publishes what could not be published before.
    pub(super) async fn read_store(&mut self) {
        let as_of = Moment::now();
        if let Err(fault) = self.catch_up().await {
            self.status.failed(&fault);
            return;
        }
        if self.unserved.is_none() {
            self.current.set_policy_as_of(as_of);
            self.status.read(as_of.at_latest());
        } else {
            self.status.can_be_read();
        }
        if self.is_pending {
            self.take_up().await;
        }
    }

    async fn catch_up(&mut self) -> Result<(), StoreFault> {
        let head = self.publisher.store.head().await?;
        if head.keys != self.current.load().keys() || head.epoch != self.head.epoch {
            self.take_up_keys().await?;
        }
        if self.unserved.is_none() && head.policy() == self.head.policy() {
            return Ok(());
        }
        let contents = self.publisher.store.contents().await?;
        self.follow(contents).await
    }

    /// Has the store's keys verify and sign.
    async fn take_up_keys(&self) -> Result<(), StoreFault> {
        let ring = self.publisher.keys.refresh().await?;
        let state = self.current.load();
        if state.keys() != ring.sequence() {
            self.current.store(state.keyed(ring.set()).map_err(StoreFault::Keyed)?);
        }
        Ok(())
    }

    /// Takes up what the store holds. What this replica cannot serve is rejected and tried again, and what is served
    /// goes on until it is stale.
    async fn follow(&mut self, Contents { head, policy }: Contents) -> Result<(), StoreFault> {
        if head.policy() == self.head.policy() && self.unserved.is_none() {
            return Ok(());
        }
        let went_back = StoreFault::WentBack { served: self.head.latest, found: head.latest };
        let Some(policy) = policy else { return Err(went_back) };
        if (head.epoch, head.latest) < (self.head.epoch, self.head.latest) || head.min_iat < self.head.min_iat
        {
            return Err(went_back);
        }
        let latest = Latest::read(policy, &place(self.config()))?;
        let (previous, known) = (self.current.load(), self.known().await?);
        let taken = match Policy::compile(&latest.sources, &self.config().namespaces) {
            Ok(policy) => self.publisher.state(policy, head, latest.published_at, Some(&previous)).await,
            Err(errors) => Err(ServerError::Unfit { generation: latest.number, errors }),
        };
        let taken = match taken {
            Ok(state) => Ok(state),
            // A store that goes away meanwhile is asked again.
            Err(error) => Err(store_fault(error)?),
        };
        (self.head, self.latest) = (head, latest);
        match taken {
            Ok(state) => {
                self.unserved = None;
                self.show(&state, self.standing(known));
                tracing::info!(generation = head.latest, epoch = head.epoch, "took up the store's policy");
            }
            Err(error) => self.misses(&previous, &error),
        }
        Ok(())
    }

    /// The latest generation cannot be served. What counts for all generations counts for the one that is.
    fn misses(&mut self, served: &State, error: &ServerError) {
        let rejection = Rejection::new(error);
        let is_known = self.unserved.as_ref().is_some_and(|known| known.says_what(&rejection));
        self.unserved = Some(rejection.clone());
        let PolicyHead { epoch, min_iat, latest: _ } = self.head.policy();
        let document = served.document();
        if (document.version.epoch, document.min_iat) != (epoch, min_iat) {
            match served.under(epoch, min_iat) {
                Ok(state) => self.current.store(state),
                Err(error) => tracing::error!(%error, epoch, min_iat, "the store's epoch is not taken up"),
            }
        }
        if is_known {
            self.show(&self.current.load(), Some(rejection));
        } else {
            self.reject(rejection);
        }
    }

    /// Why what the directory holds is not what the store holds.
    fn standing(&self, known: Option<u64>) -> Option<Rejection> {
        match known {
            Some(number) if number != self.latest.number => {
                Some(Rejection::behind(number, self.latest.number))
            }
            // Where the store has it under no number, it was bad, or waits to be published.
            _ => self.found.faults(self.config()),
        }
    }

    /// The generation that the directory holds.
    async fn known(&self) -> Result<Option<u64>, StoreFault> {
        match &self.found.digest {
            Some(digest) => Ok(self.publisher.store.known(digest).await?),
            None => Ok(None),
        }
    }

    /// Does what follows from an edit of the directory.
    async fn take_up(&mut self) {
        match self.edit().await {
            Ok(None) => metrics::policy_accepted(),
            Ok(Some(rejection)) => self.reject(rejection),
            Err(error) => {
                let was_pending = std::mem::replace(&mut self.is_pending, is_passing(&error));
                let rejection = Rejection::new(&error);
                // Each attempt that ends like the one before is no news.
                if was_pending && self.is_pending {
                    self.show(&self.current.load(), Some(rejection));
                } else {
                    self.reject(rejection);
                }
                return;
            }
        }
        self.is_pending = false;
    }

    /// What is to be said about the edit once all of it that can take effect has.
    async fn edit(&mut self) -> Result<Option<Rejection>, ServerError> {
        for _ in 0..ATTEMPTS {
            let contents = self.publisher.store.contents().await.map_err(StoreFault::from)?;
            self.follow(contents).await?;
            let (known, occasion) = (self.known().await?, Occasion::Edit { before: self.held });
            let namespaces = &self.config().namespaces;
            match decide(&self.found, known, Some(&self.latest), occasion, namespaces)? {
                Decision::Latest { rejection, held } => {
                    self.held = held.or(self.held);
                    if rejection.is_none() {
                        // A bad edit was taken back, or another replica was first: what counts did not change.
                        self.show(&self.current.load(), None);
                    }
                    return Ok(rejection);
                }
                Decision::Publish { compiled, rejection } => {
                    let previous = self.current.load();
                    let digest = self.found.digest.clone().unwrap_or_default();
                    let published =
                        self.publisher.publish(compiled, &digest, self.head, Some(&previous)).await?;
                    let Some(Published { state, latest }) = published else { continue };
                    self.published(&state, latest, rejection.clone());
                    return Ok(rejection);
                }
            }
        }
        Err(ServerError::Outpaced)
    }

    /// One swap. Requests that began earlier end with the state they began with.
    fn published(&mut self, state: &State, latest: Latest, rejection: Option<Rejection>) {
        // As `writ policy status` counts: by name, of which a route may have several.
        let hosts: usize = state.policy().hosts().iter().map(|host| host.names.len()).sum();
        let clients = state.policy().clients().len();
        tracing::info!(generation = latest.number, hosts, clients, "policy published");
        self.held = Some(latest.number);
        self.head.latest = latest.number;
        self.latest = latest;
        self.unserved = None;
        self.show(state, rejection);
    }

    /// The policy that counts goes on.
    fn reject(&self, rejection: Rejection) {
        metrics::policy_rejected();
        let current = self.current.load();
        self.show(&current, Some(rejection));
        let generation = current.snapshot().version().generation;
        tracing::error!(generation, "the last good policy goes on in place of what is wrong");
    }

    /// Makes `state` count, with this to say about the directory.
    fn show(&self, state: &State, rejection: Option<Rejection>) {
        let before = self.current.load();
        let rejection =
            rejection.or_else(|| self.unserved.clone()).map(|rejection| rejection.since(before.rejection()));
        if let Some(rejection) = rejection.as_ref().filter(|rejection| Some(*rejection) != before.rejection())
        {
            rejection.log();
        }
        if rejection.is_none() && before.rejection().is_some() {
            let generation = state.snapshot().version().generation;
            tracing::info!(generation, "the policy is accepted again: nothing is wrong any more");
        }
        self.current.store(state.with_rejection(rejection));
        // Last, so that whoever is told finds it so.
        self.status.is_unserved(self.unserved.is_some().then_some(self.head.latest));
    }
}

/// See [`StoreStatus::read_now`].
pub struct AskedReads(pub(super) Asked);

/// The fault of the store in `error`, or else the error.
fn store_fault(error: ServerError) -> Result<ServerError, StoreFault> {
    match error {
        ServerError::Store(fault) => Err(fault),
        ServerError::Clients(GeneratedError::Store(error)) => Err(error.into()),
        other => Ok(other),
    }
}

/// Whether trying again may help.
fn is_passing(error: &ServerError) -> bool {
    matches!(
        error,
        ServerError::Store(_) | ServerError::Clients(GeneratedError::Store(_)) | ServerError::Outpaced
    )
}
