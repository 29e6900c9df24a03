//! What brings decisions into the log, without anybody waiting for it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit::{Event, Lines};
use store::{Ledger, Write, WriteError};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until},
};

use super::{
    queue::{Bounds, Part, Queue},
    refusals::Refusals,
    repeats::Repeats,
};
use crate::{clock, listen::Shutdown, telemetry::audit as metrics};

/// How long decisions are gathered: one commit for all of them.
const GATHER: Duration = Duration::from_millis(200);
/// Between attempts while the store is away.
const RETRY: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Takes what was decided. Never waits, never fails: what has no room is counted, and the count gets into the log.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write.
    ready: Notify,
}

#[derive(Debug)]
struct Waiting {
    queue: Queue,
    refusals: Refusals,
    repeats: Repeats,
}

impl Default for Recorder {
    fn default() -> Self {
        let waiting = Waiting {
            queue: Queue::new(Bounds::DEFAULT),
            refusals: Refusals::default(),
            repeats: Repeats::default(),
        };
        Self(Arc::new(Shared { waiting: Mutex::new(waiting), ready: Notify::new() }))
    }
}

impl Recorder {
    /// Takes an event of its own.
    pub fn record(&self, event: &Event<'_>) {
        self.record_all(&Lines::of(event));
    }

    /// Takes a decision, unless it only repeats what was decided on a dead token: that is counted.
    pub fn decided(&self, event: &Event<'_>) {
        if self.is_first(event) {
            self.record(event);
        }
    }

    /// Whether a decision is to be recorded. If not, it is counted.
    pub fn is_first(&self, event: &Event<'_>) -> bool {
        self.lock().repeats.is_first(clock::now_millis().0, event)
    }

    /// Takes several events, all or none.
    pub fn record_all(&self, lines: &Lines) {
        if lines.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        let is_first = waiting.queue.is_empty();
        if !waiting.queue.push(lines) {
            metrics::dropped(lines.events());
        }
        drop(waiting);
        if is_first {
            self.0.ready.notify_one();
        }
    }

    /// Counts requests that were denied before a token was verified. `host` as the policy has it; empty for hosts that
    /// nobody listed.
    pub fn refused(&self, code: &'static str, host: &str, count: u64) {
        self.lock().refusals.count(clock::now_millis().0, code, host, count);
    }

    /// Counts decisions that a data plane did not report.
    pub fn unreported(&self, data_plane: &Arc<str>, count: u64) {
        self.lock().refusals.unreported(data_plane, count);
    }

    /// Shows in metrics how much waits.
    pub fn measure(&self) {
        let (events, bytes) = {
            let waiting = self.lock();
            (waiting.queue.events(), waiting.queue.bytes())
        };
        metrics::waiting(events, bytes);
    }

    /// Writes what comes, until the server stops. What came until then is for [`Recorder::finish`].
    pub async fn run(&self, ledger: &Ledger, mut shutdown: Shutdown) {
        let mut minutes = interval_at(Instant::now() + MINUTE, MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                _ = minutes.tick() => self.flush(Some(clock::now_millis().0)),
                () = self.0.ready.notified(), if due.is_none() => due = Some(Instant::now() + GATHER),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = (!self.write(ledger).await).then(|| Instant::now() + RETRY);
                }
            }
        }
    }

    /// Writes what is left, the minute that has not ended included. What the store does not take now is lost with this
    /// process, as it would be with its crash.
    pub async fn finish(&self, ledger: &Ledger) {
        self.flush(None);
        if !self.write(ledger).await {
            let events = self.lock().queue.events();
            tracing::error!(events, "the store is away: these events never get into the audit log");
        }
    }

    fn flush(&self, now: Option<u64>) {
        let Waiting { queue, refusals, repeats } = &mut *self.lock();
        repeats.flush(now, queue);
        refusals.flush(clock::now_millis().0, now, queue);
        if !queue.is_empty() {
            self.0.ready.notify_one();
        }
    }

    /// Writes all that waits. `false`: not all of it.
    async fn write(&self, ledger: &Ledger) -> bool {
        while let Some(part) = self.begin() {
            match ledger.write(Write::Note, part.lines.clone()).await {
                Ok(_) => self.written(&part),
                Err(error) => {
                    self.failed(&error);
                    return false;
                }
            }
        }
        true
    }

    fn begin(&self) -> Option<Part> {
        self.lock().queue.begin(clock::now_millis().0)
    }

    fn written(&self, part: &Part) {
        self.lock().queue.written(part);
        metrics::recorded(part.lines.events());
    }

    /// What may have been written all the same is written again: better told twice than not at all.
    fn failed(&self, error: &WriteError) {
        metrics::failed();
        tracing::warn!(%error, "decisions wait for the audit log");
        if let WriteError::Unstorable(_) = error {
            // Nothing in the way of what comes after it.
            self.lock().queue.refused();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
