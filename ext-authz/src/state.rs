//! What every request reads: one value, swapped whole, so that no two parts of it can disagree.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use policy::Policy;
use tokio::sync::watch;
use verdict::{Snapshot, SnapshotError, document::SnapshotDocument};

use crate::{
    check::TokenMemory,
    clients::Clients,
    clock::{self, Moment, UnixMillis},
    reload::Rejection,
    scope::{Scope, ScopedSnapshots},
    telemetry::metrics,
};

/// Policy at one generation, in all its forms.
#[derive(Debug)]
pub struct State {
    policy: Arc<Policy>,
    clients: Arc<Clients>,
    document: Arc<SnapshotDocument>,
    snapshot: Arc<Snapshot>,
    /// Parts of the document, for data planes that see no more of it.
    scoped: Arc<ScopedSnapshots>,
    /// Proofs made with the keys and for the issuer of this server: what else a token needs is judged each time, so
    /// they outlive a policy.
    tokens: Arc<TokenMemory>,
    /// Why the policy is not all of what its directory holds.
    rejection: Option<Rejection>,
}

impl State {
    /// The forms of one generation.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn new(clients: Clients, policy: Policy, document: SnapshotDocument) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::compile(document.clone())?;
        Ok(Self {
            policy: Arc::new(policy),
            clients: Arc::new(clients),
            document: Arc::new(document),
            snapshot: Arc::new(snapshot),
            scoped: Arc::default(),
            tokens: Arc::default(),
            rejection: None,
        })
    }

    /// The forms of a later generation of the same server.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn successor(
        &self,
        clients: Clients,
        policy: Policy,
        document: SnapshotDocument,
    ) -> Result<Self, SnapshotError> {
        Ok(Self { tokens: Arc::clone(&self.tokens), ..Self::new(clients, policy, document)? })
    }

    /// The same policy in this epoch, with tokens refused that were issued before `min_iat`, Unix seconds.
    ///
    /// # Errors
    /// The document does not compile.
    pub fn under(&self, epoch: u64, min_iat: u64) -> Result<Self, SnapshotError> {
        let mut document = SnapshotDocument::clone(&self.document);
        (document.version.epoch, document.min_iat) = (epoch, min_iat);
        let snapshot = Snapshot::compile(document.clone())?;
        Ok(Self {
            document: Arc::new(document),
            snapshot: Arc::new(snapshot),
            scoped: Arc::default(),
            ..self.with_rejection(self.rejection.clone())
        })
    }

    /// The same, with this to say about the policy directory.
    #[must_use]
    pub fn with_rejection(&self, rejection: Option<Rejection>) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            clients: Arc::clone(&self.clients),
            document: Arc::clone(&self.document),
            snapshot: Arc::clone(&self.snapshot),
            scoped: Arc::clone(&self.scoped),
            tokens: Arc::clone(&self.tokens),
            rejection,
        }
    }

    /// What operators wrote.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Who may ask for tokens.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What data planes are sent, each its part of it.
    #[must_use]
    pub fn document(&self) -> &Arc<SnapshotDocument> {
        &self.document
    }

    /// What verdicts read.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What verdicts for a data plane of this scope read.
    ///
    /// # Errors
    /// Its part of the document does not compile.
    pub fn snapshot_in(&self, scope: &Scope) -> Result<Arc<Snapshot>, SnapshotError> {
        match scope {
            Scope::All => Ok(Arc::clone(&self.snapshot)),
            Scope::Audiences(_) => self.scoped.find(scope, &self.document),
        }
    }

    /// Why the policy is not all of what its directory holds; `None` if it is.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// Tokens verified before.
    #[must_use]
    pub fn tokens(&self) -> &TokenMemory {
        &self.tokens
    }
}

impl State {
    /// Shows in metrics what counts.
    fn count(&self) {
        metrics::policy_is(self.snapshot.version().generation, self.rejection.is_some());
    }
}

/// The state that counts now, and how old it is at most.
#[derive(Clone, Debug)]
pub struct Current(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: ArcSwap<State>,
    /// For those who follow it; requests read the other, which costs them no lock.
    followed: watch::Sender<Arc<State>>,
    /// `None` while nobody says.
    as_of: ArcSwapOption<Moment>,
}

impl Current {
    /// Begins with `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        state.count();
        let state = Arc::new(state);
        Self(Arc::new(Shared {
            followed: watch::Sender::new(Arc::clone(&state)),
            state: ArcSwap::new(state),
            as_of: ArcSwapOption::empty(),
        }))
    }

    /// From here on `state` counts. Whoever loaded another one ends with that.
    pub fn store(&self, state: State) {
        state.count();
        let state = Arc::new(state);
        self.0.state.store(Arc::clone(&state));
        self.0.followed.send_replace(state);
    }

    /// The state at this moment. One request loads it once.
    #[must_use]
    pub fn load(&self) -> Arc<State> {
        self.0.state.load_full()
    }

    /// Tells of each later state; of the newest only, to whoever is slow.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<State>> {
        self.0.followed.subscribe()
    }

    /// When everything that the state rests on was last read completely. Now, where it rests on this server alone.
    #[must_use]
    pub fn as_of(&self) -> UnixMillis {
        self.0.as_of.load().as_deref().map_or_else(clock::now_millis, |moment| moment.at_latest())
    }

    /// Everything was read completely at this instant, and what was read counts.
    pub fn set_as_of(&self, moment: Moment) {
        self.0.as_of.store(Some(Arc::new(moment)));
    }
}
