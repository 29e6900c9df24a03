//! The state that counts now, and how old it is at most.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use super::State;
use crate::{
    clock::{self, Moment, UnixMillis},
    revocations::Revoked,
};

/// The state that counts now.
///
/// Policy and revocations come from two readers of the store. Each replaces its own half of the state, under one lock,
/// so that neither undoes what the other did; requests read one value and take no lock.
#[derive(Clone, Debug)]
pub struct Current(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: ArcSwap<State>,
    composing: Mutex<()>,
    /// For those who follow the policy.
    followed: watch::Sender<Arc<State>>,
    /// When either half was last read completely; `None` while nobody says.
    policy_as_of: ArcSwapOption<Moment>,
    revocations_as_of: ArcSwapOption<Moment>,
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
            composing: Mutex::new(()),
            policy_as_of: ArcSwapOption::empty(),
            revocations_as_of: ArcSwapOption::empty(),
        }))
    }

    /// From here on the policy of `state` counts, with the revocations that count already. Whoever loaded another state
    /// ends with that.
    pub fn store(&self, state: State) {
        let _composing = self.0.composing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.state.load();
        let state = Arc::new(state.after(&before).revised(Arc::clone(before.revoked())));
        state.count();
        self.0.state.store(Arc::clone(&state));
        self.0.followed.send_replace(state);
    }

    /// From here on this is what is revoked, under the policy that counts already. Those who follow the policy are told
    /// only where it is another reading: see [`Revoked::reading`].
    pub fn revise(&self, revoked: Arc<Revoked>) {
        let _composing = self.0.composing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.0.state.load();
        let is_another = before.revoked().reading() != revoked.reading();
        let state = Arc::new(before.revised(revoked));
        self.0.state.store(Arc::clone(&state));
        self.0.followed.send_if_modified(|followed| {
            *followed = state;
            is_another
        });
    }

    /// The state at this moment. One request loads it once.
    #[must_use]
    pub fn load(&self) -> Arc<State> {
        self.0.state.load_full()
    }

    /// Tells of each later policy; of the newest only, to whoever is slow.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<State>> {
        self.0.followed.subscribe()
    }

    /// When everything that the state rests on was last read completely: the older of its two halves. Now, where it
    /// rests on this server alone.
    #[must_use]
    pub fn as_of(&self) -> UnixMillis {
        let halves = [&self.0.policy_as_of, &self.0.revocations_as_of];
        let read = halves.iter().filter_map(|half| half.load().as_deref().map(|moment| moment.at_latest()));
        read.min().unwrap_or_else(clock::now_millis)
    }

    /// The policy was read completely at this instant, and what was read counts.
    pub fn set_policy_as_of(&self, moment: Moment) {
        self.0.policy_as_of.store(Some(Arc::new(moment)));
    }

    /// As [`Current::set_policy_as_of`], of revocations.
    pub fn set_revocations_as_of(&self, moment: Moment) {
        self.0.revocations_as_of.store(Some(Arc::new(moment)));
    }
}
