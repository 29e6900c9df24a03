//! What is sent: each scope's part of the state.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{sync::watch, task, time::Instant};
use verdict::{document::Version, revocation::Revocations};

use super::{
    base::Base,
    channel::Channel,
    log::{Entry, Log},
};
use crate::{
    clock::UnixMillis,
    config,
    listen::Shutdown,
    revocations::Tick,
    scope::Scope,
    state::{Current, State},
};

/// One scope's part of one state.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) base: Arc<Base>,
    pub(super) version: Version,
    /// See [`crate::revocations::Revoked::reading`].
    pub(super) reading: u64,
    pub(super) revoked: Revocations,
    /// When everything in it was known to be complete.
    pub(super) as_of: UnixMillis,
    /// When its base was published.
    pub(super) at: Instant,
}

/// The newest publication of each scope.
#[derive(Debug)]
pub struct Publications {
    current: Current,
    log: Arc<Log>,
    channels: BTreeMap<Scope, Arc<Channel>>,
}

/// Keeps publications up to the policy.
#[derive(Debug)]
pub struct Follower {
    publications: Arc<Publications>,
    states: watch::Receiver<Arc<State>>,
}

/// Every scope that a data plane has; the Unix socket's is everything.
#[must_use]
pub fn scopes(planes: &[config::DataPlane]) -> BTreeSet<Scope> {
    planes.iter().map(|plane| plane.scope.clone()).chain([Scope::All]).collect()
}

impl Publications {
    /// Publications of what counts now, for every scope that a data plane has.
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
        states.mark_unchanged();
        let (state, log) = (current.load(), Arc::new(Log::default()));
        let channel = |scope: Scope| {
            let base = Arc::new(Base::new(&scope, &state)?);
            let first = Publication::new(base, &scope, &state, as_of);
            Ok((scope.clone(), Arc::new(Channel::new(scope, first, Arc::clone(&log)))))
        };
        let channels = scopes(planes).into_iter().map(channel).collect::<Result<_, serde_json::Error>>()?;
        let publications = Arc::new(Self { current, log, channels });
        Ok((Arc::clone(&publications), Follower { publications, states }))
    }

    /// What streams of this scope follow. `None`: no data plane has it.
    pub(super) fn channel(&self, scope: &Scope) -> Option<Arc<Channel>> {
        self.channels.get(scope).map(Arc::clone)
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
        let state = self.current.load();
        publication.is_based_on(&state) && publication.version.revocation == state.revoked().sequence()
    }

    /// Whether `publication` is of the policy that counts here.
    pub(super) fn is_of_newest_policy(&self, publication: &Publication) -> bool {
        publication.is_based_on(&self.current.load())
    }

    /// Publishes what was revoked and lifted, once it counts.
    pub fn advance(&self, tick: &Arc<Tick>) {
        let as_of = self.current.as_of();
        let state = self.current.load();
        self.log.push(Entry { tick: Arc::clone(tick), as_of });
        for (scope, channel) in &self.channels {
            channel.newest.send_if_modified(|newest| {
                // What was published meanwhile with a later policy has it already.
                let follows = newest.reading == tick.reading && newest.version.revocation < tick.sequence;
                if follows {
                    *newest = Arc::new(Publication {
                        version: Version { revocation: tick.sequence, ..newest.version },
                        revoked: state.revoked().part(scope).clone(),
                        as_of,
                        ..Publication::clone(newest)
                    });
                }
                follows
            });
        }
    }

    /// Forgets what the state has forgotten because it has expired. That is no news to anyone.
    pub fn forget_expired(&self) {
        let state = self.current.load();
        for (scope, channel) in &self.channels {
            channel.newest.send_if_modified(|newest| {
                let counts = (state.revoked().reading(), state.revoked().sequence());
                if (newest.reading, newest.version.revocation) == counts {
                    let revoked = state.revoked().part(scope).clone();
                    *newest = Arc::new(Publication { revoked, ..Publication::clone(newest) });
                }
                false
            });
        }
    }
}

impl Follower {
    /// Publishes each policy, until it is time to stop.
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
        // Where a backup was restored, the other half of the state is about to come.
        if !state.is_settled() {
            return;
        }
        for (scope, channel) in &self.channels {
            let newest = channel.newest();
            // A state may differ in what it says about the policy directory only.
            if newest.is_based_on(state) {
                continue;
            }
            let base = if newest.base.is_of(state) {
                Ok(Arc::clone(&newest.base))
            } else {
                Base::new(scope, state).map(Arc::new)
            };
            match base {
                Ok(base) => self.publish_base(channel, &base, state, as_of),
                // Without heartbeats for this version its watchers become stale, and then deny.
                Err(error) => tracing::error!(%error, "a snapshot cannot be encoded"),
            }
        }
    }

    fn publish_base(&self, channel: &Channel, base: &Arc<Base>, state: &State, as_of: UnixMillis) {
        channel.newest.send_modify(|newest| {
            // The newest revocations, with which others may have been published since: nothing goes back.
            let counts = self.current.load();
            let is_settled = counts.revoked().epoch() == state.revoked().epoch();
            let latest = if is_settled { &*counts } else { state };
            *newest = Arc::new(Publication::new(Arc::clone(base), &channel.scope, latest, as_of));
        });
    }
}

impl Publication {
    /// `base` with what is revoked in `state`.
    fn new(base: Arc<Base>, scope: &Scope, state: &State, as_of: UnixMillis) -> Self {
        let revoked = state.revoked();
        Self {
            version: Version { revocation: revoked.sequence(), ..base.version },
            reading: revoked.reading(),
            revoked: revoked.part(scope).clone(),
            as_of,
            at: Instant::now(),
            base,
        }
    }

    /// Whether it is a part of the document of `state`, and its revocations are of the same reading.
    fn is_based_on(&self, state: &State) -> bool {
        self.base.is_of(state) && self.reading == state.revoked().reading()
    }
}
