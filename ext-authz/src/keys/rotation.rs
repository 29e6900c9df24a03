//! Keys that change by themselves, at each replica alike: one of them does what is due.

use std::time::Duration;

use store::KeyState;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

use super::{
    ChangeError, KeyControl, KeyRing,
    control::SCHEDULE,
    schedule::{Due, Terms},
};
use crate::{
    clock, config::Config, feed::Registry, listen::Shutdown, server::Api, state::Current,
    telemetry::keys as metrics,
};

/// Between looks at what is due. A look reads memory only, unless a key waits.
const TICK: Duration = Duration::from_millis(500);
/// How often a replica says that it is there.
const SEEN_EVERY: Duration = Duration::from_secs(5);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest that a replica takes to say that it goes.
const FAREWELL: Duration = Duration::from_secs(1);

/// Follows the schedule.
#[derive(Debug)]
pub struct Rotation {
    control: KeyControl,
    current: Current,
    watchers: Registry,
    every: Option<Duration>,
    leeway: Duration,
    reading: Duration,
    /// This replica's name in the store.
    id: String,
    /// The keys sequence that all data planes of this replica hold, as far as is known.
    held: u64,
    /// What was said last, and when.
    said: Option<(u64, Instant)>,
    /// What failed last, so that it is logged once.
    failure: Option<String>,
}

impl Rotation {
    /// Of this server, whose data planes are `watchers`.
    #[must_use]
    pub fn new(api: &Api, watchers: Registry) -> Self {
        let Config { key_rotation, leeway, store_poll_interval, .. } = *api.config;
        Self {
            control: KeyControl::of(api),
            current: api.current.clone(),
            watchers,
            every: key_rotation,
            leeway,
            reading: store_poll_interval,
            id: Uuid::now_v7().to_string(),
            held: 0,
            said: None,
            failure: None,
        }
    }

    /// Does what is due, until it is time to stop.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        tokio::select! {
            biased;
            () = shutdown.requested() => {}
            () = self.follow() => {}
        }
        // Whoever is not told finds out by the silence.
        let _ = timeout(FAREWELL, self.control.store.replica_is_gone(&self.id)).await;
    }

    async fn follow(&mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.control.record_made().await;
        loop {
            ticks.tick().await;
            self.say().await;
            let outcome = self.step().await;
            let has_failed = outcome.is_err();
            self.note(outcome);
            if has_failed {
                sleep(PAUSE).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), ChangeError> {
        let ring = self.control.keys.current();
        let (terms, now) = (self.terms(), clock::now().0);
        metrics::keys_are(ring.set(), terms.rotates_at(ring.set()));
        match terms.due(ring.set(), now) {
            Due::Nothing => {}
            Due::Make => drop(self.control.rotate(SCHEDULE).await?),
            Due::Activate => self.activate(&ring).await?,
            Due::ActivateOnceHeld => {
                if self.held >= ring.sequence() && self.is_held_elsewhere(&ring, now).await? {
                    self.activate(&ring).await?;
                }
            }
        }
        self.control.forget(&ring, |last_exp| terms.is_over(last_exp, now)).await?;
        Ok(())
    }

    async fn activate(&self, ring: &KeyRing) -> Result<(), ChangeError> {
        if self.control.activate(ring).await? {
            metrics::rotated();
        }
        Ok(())
    }

    fn terms(&self) -> Terms {
        let state = self.current.load();
        let stalest = state.document().hosts.iter().map(|host| host.max_staleness).max();
        Terms {
            every: self.every,
            staleness: Duration::from_secs(stalest.unwrap_or(0)),
            leeway: self.leeway,
            reading: self.reading,
        }
    }

    /// Whether no other replica has a data plane that does not hold the keys of `ring`.
    async fn is_held_elsewhere(&self, ring: &KeyRing, now: u64) -> Result<bool, ChangeError> {
        let since = now.saturating_sub(self.terms().gone_after().as_secs());
        Ok(self.control.store.replicas_behind(since, ring.sequence()).await? == 0)
    }

    /// Says that this replica is there, and what its data planes hold: from time to time, and at once where somebody
    /// waits for it.
    async fn say(&mut self) {
        let state = self.current.load();
        if self.held > state.keys() {
            // The store was restored: its keys are counted from an earlier number.
            self.held = 0;
        }
        if self.held < state.keys() && self.watchers.all_hold(state.edition()) {
            self.held = state.keys();
        }
        let is_awaited = self.control.keys.current().set().in_state(KeyState::Next).next().is_some();
        let is_due = self
            .said
            .is_none_or(|(held, at)| at.elapsed() >= SEEN_EVERY || (is_awaited && held != self.held));
        if is_due {
            // In vain, where the store is away: that is said elsewhere, and keys do not change meanwhile.
            let said = self.control.store.replica_is_there(&self.id, clock::now().0, self.held).await;
            self.said = said.is_ok().then(|| (self.held, Instant::now()));
            if said.is_err() {
                sleep(PAUSE).await;
            }
        }
    }

    fn note(&mut self, outcome: Result<(), ChangeError>) {
        let failure = outcome.err().map(|error| error.to_string());
        if let Some(error) = &failure {
            metrics::rotation_failed(clock::now().0);
            if self.failure.as_ref() != Some(error) {
                tracing::warn!(error, "signing keys do not change as they should");
            }
        } else if self.failure.is_some() {
            tracing::info!("signing keys change as they should again");
        }
        self.failure = failure;
    }
}
