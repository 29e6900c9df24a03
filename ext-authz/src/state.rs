//! What every request reads: one value, swapped whole, so that no two parts of it can disagree.

use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::Policy;
use verdict::Snapshot;

use crate::{check::TokenMemory, clients::Clients};

/// Policy at one generation, in all its forms.
#[derive(Debug)]
pub struct State {
    policy: Policy,
    clients: Clients,
    snapshot: Snapshot,
    /// Proofs made with this snapshot's keys; they end with it.
    tokens: TokenMemory,
}

impl State {
    /// The forms of one generation.
    #[must_use]
    pub fn new(policy: Policy, clients: Clients, snapshot: Snapshot) -> Self {
        Self { policy, clients, snapshot, tokens: TokenMemory::default() }
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

    /// Tokens verified before.
    #[must_use]
    pub fn tokens(&self) -> &TokenMemory {
        &self.tokens
    }
}

/// The state that counts now.
#[derive(Clone, Debug)]
pub struct Current(Arc<ArcSwap<State>>);

impl Current {
    /// Begins with `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(state)))
    }

    /// The state at this moment. One request loads it once.
    #[must_use]
    pub fn load(&self) -> Arc<State> {
        self.0.load_full()
    }
}
