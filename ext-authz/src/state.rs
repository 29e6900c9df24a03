//! What every request reads: one value, swapped whole, so that no two parts of it can disagree.

use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::Policy;
use verdict::Snapshot;

use crate::{check::TokenMemory, clients::Clients, reload::Rejection, telemetry::metrics};

/// Policy at one generation, in all its forms.
#[derive(Debug)]
pub struct State {
    policy: Arc<Policy>,
    clients: Arc<Clients>,
    snapshot: Arc<Snapshot>,
    /// Proofs made with the keys and for the issuer of this server: what else a token needs is judged each time, so
    /// they outlive a policy.
    tokens: Arc<TokenMemory>,
    /// Why the policy is not all of what its directory holds.
    rejection: Option<Rejection>,
}

impl State {
    /// The forms of one generation.
    #[must_use]
    pub fn new(clients: Clients, policy: Policy, snapshot: Snapshot) -> Self {
        Self {
            policy: Arc::new(policy),
            clients: Arc::new(clients),
            snapshot: Arc::new(snapshot),
            tokens: Arc::default(),
            rejection: None,
        }
    }

    /// The forms of a later generation of the same server.
    #[must_use]
    pub fn successor(&self, clients: Clients, policy: Policy, snapshot: Snapshot) -> Self {
        Self { tokens: Arc::clone(&self.tokens), ..Self::new(clients, policy, snapshot) }
    }

    /// The same, with this to say about the policy directory.
    #[must_use]
    pub fn with_rejection(&self, rejection: Option<Rejection>) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            clients: Arc::clone(&self.clients),
            snapshot: Arc::clone(&self.snapshot),
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

    /// What verdicts read.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
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

/// The state that counts now.
#[derive(Clone, Debug)]
pub struct Current(Arc<ArcSwap<State>>);

impl Current {
    /// Begins with `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        state.count();
        Self(Arc::new(ArcSwap::from_pointee(state)))
    }

    /// From here on `state` counts. Whoever loaded another one ends with that.
    pub fn store(&self, state: State) {
        state.count();
        self.0.store(Arc::new(state));
    }

    /// The state at this moment. One request loads it once.
    #[must_use]
    pub fn load(&self) -> Arc<State> {
        self.0.load_full()
    }
}
