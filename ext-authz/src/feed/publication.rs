//! What is sent: each scope's part of the document, encoded once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use proto::v1::CHUNK;
use sha2::{Digest as _, Sha256};
use tokio::{sync::watch, task, time::Instant};
use verdict::document::{SnapshotDocument, Version};

use crate::{
    clock::UnixMillis,
    config,
    listen::Shutdown,
    scope::Scope,
    state::{Current, State},
};

/// Time between heartbeats, at most and at least.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// A heartbeat comes at least so many times in the time after which a host is stale.
const BEATS: u32 = 10;

/// One scope's part of one version of the document.
#[derive(Debug)]
pub(super) struct Publication {
    /// What it is a part of.
    document: Arc<SnapshotDocument>,
    pub(super) version: Version,
    /// SHA-256 of its text: keys, settings and what the scope sees change under one version.
    pub(super) digest: [u8; 32],
    pub(super) requires: Vec<String>,
    /// When everything in it was known to be complete.
    pub(super) as_of: UnixMillis,
    pub(super) at: Instant,
    /// Time between heartbeats.
    pub(super) interval: Duration,
    /// JSON.
    text: Bytes,
}

/// The newest publication of each scope.
#[derive(Debug)]
pub struct Publications {
    current: Current,
    scopes: BTreeMap<Scope, watch::Sender<Arc<Publication>>>,
}

/// Keeps publications up to the state.
#[derive(Debug)]
pub struct Follower {
    publications: Arc<Publications>,
    states: watch::Receiver<Arc<State>>,
}

impl Publications {
    /// Publications of what counts now, for every scope that a data plane has; the Unix socket's is everything.
    ///
    /// # Errors
    /// The document cannot be written as JSON.
    pub fn new(
        current: Current,
        planes: &[config::DataPlane],
    ) -> Result<(Arc<Self>, Follower), serde_json::Error> {
        // Before the state is read: a later one is told.
        let mut states = current.subscribe();
        let as_of = current.as_of();
        let state = Arc::clone(&states.borrow_and_update());
        let mut scopes: BTreeSet<Scope> = planes.iter().map(|plane| plane.scope.clone()).collect();
        scopes.insert(Scope::All);
        let sender = |scope: Scope| {
            let publication = Publication::new(&scope, state.document(), as_of)?;
            Ok((scope, watch::Sender::new(Arc::new(publication))))
        };
        let scopes = scopes.into_iter().map(sender).collect::<Result<_, serde_json::Error>>()?;
        let publications = Arc::new(Self { current, scopes });
        Ok((Arc::clone(&publications), Follower { publications, states }))
    }

    /// Tells of each later publication; of the newest only, to whoever is slow. `None`: no data plane has this scope.
    pub(super) fn subscribe(&self, scope: &Scope) -> Option<watch::Receiver<Arc<Publication>>> {
        Some(self.scopes.get(scope)?.subscribe())
    }

    /// The version that counts here.
    pub(super) fn version(&self) -> Version {
        self.current.load().snapshot().version()
    }

    /// When `publication` was last known to be the newest there is.
    pub(super) fn as_of(&self, publication: &Publication) -> UnixMillis {
        // Before the version: whatever was read until then is part of the state, or a later one.
        let as_of = self.current.as_of();
        if self.is_newest(publication) { as_of } else { publication.as_of }
    }

    /// Whether `publication` is of what counts here, and not of what it replaced.
    pub(super) fn is_newest(&self, publication: &Publication) -> bool {
        publication.is_of(&self.current.load())
    }
}

impl Follower {
    /// Publishes each state, until it is time to stop.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                changed = self.states.changed() => if changed.is_err() { return },
            }
            let as_of = self.publications.current.as_of();
            let state = Arc::clone(&self.states.borrow_and_update());
            let publications = Arc::clone(&self.publications);
            // A large document for many scopes takes a while.
            let published = task::spawn_blocking(move || publications.publish(&state, as_of));
            if let Err(error) = published.await {
                tracing::error!(%error, "the state is not published");
            }
        }
    }
}

impl Publications {
    fn publish(&self, state: &State, as_of: UnixMillis) {
        for (scope, sender) in &self.scopes {
            // A state may differ in what it says about the policy directory only.
            if sender.borrow().is_of(state) {
                continue;
            }
            match Publication::new(scope, state.document(), as_of) {
                Ok(publication) => drop(sender.send_replace(Arc::new(publication))),
                // Without heartbeats for this version its watchers become stale, and then deny.
                Err(error) => tracing::error!(%error, "a snapshot cannot be encoded"),
            }
        }
    }
}

impl Publication {
    fn new(
        scope: &Scope,
        document: &Arc<SnapshotDocument>,
        as_of: UnixMillis,
    ) -> Result<Self, serde_json::Error> {
        let part = scope.part(document);
        let stalest = part.hosts.iter().map(|host| Duration::from_secs(host.max_staleness)).min();
        let interval = stalest
            .map_or(LONGEST_INTERVAL, |stalest| (stalest / BEATS).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL));
        let text: Bytes = serde_json::to_vec(&part)?.into();
        Ok(Self {
            document: Arc::clone(document),
            version: part.version,
            digest: Sha256::digest(&text).into(),
            requires: part.requires.clone(),
            as_of,
            at: Instant::now(),
            interval,
            text,
        })
    }

    /// Whether it is a part of the document of `state`.
    fn is_of(&self, state: &State) -> bool {
        Arc::ptr_eq(&self.document, state.document())
    }

    /// Whether who holds `other` holds this.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.is_held_as(other.version, &other.digest)
    }

    /// Whether who holds this version with this digest holds this.
    pub(super) fn is_held_as(&self, version: Version, digest: &[u8]) -> bool {
        self.version == version && self.digest == digest
    }

    /// How many pieces it has.
    pub(super) fn chunks(&self) -> u32 {
        u32::try_from(self.text.len().div_ceil(CHUNK)).unwrap_or(u32::MAX)
    }

    /// Its pieces, which share one allocation.
    pub(super) fn parts(&self) -> impl Iterator<Item = Bytes> {
        let length = self.text.len();
        (0..length).step_by(CHUNK).map(move |start| self.text.slice(start..length.min(start + CHUNK)))
    }

    /// Bytes of its text.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    #[cfg(test)]
    pub(super) fn for_test(text: Bytes) -> Self {
        Self {
            document: Arc::clone(super::tests::state(1).document()),
            digest: Sha256::digest(&text).into(),
            version: Version { epoch: 1, generation: 1_700_000_000, revocation: 3 },
            requires: vec!["deltas".into()],
            as_of: UnixMillis(0),
            at: Instant::now(),
            interval: LONGEST_INTERVAL,
            text,
        }
    }
}
