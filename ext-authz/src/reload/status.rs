//! How the store does, for operators; and a way to have it read at once.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::StoreFault;
use crate::{clock::UnixMillis, revocations::TailFault, state::Current, telemetry::metrics};

/// Who waits for a read that has not begun. More than these wait for a place.
const WAITING: usize = 64;

/// Follows how the reads of the store end.
#[derive(Clone, Debug)]
pub struct StoreStatus {
    faults: Arc<Mutex<Faults>>,
    /// 0: the latest generation is served.
    unserved: Arc<AtomicU64>,
    ask: mpsc::Sender<oneshot::Sender<()>>,
}

/// How the last reads ended. Policy and revocations have a reader each.
#[derive(Debug, Default)]
struct Faults {
    policy: Option<String>,
    revocations: Option<String>,
}

/// As it is shown.
#[derive(Debug, Serialize)]
pub struct StoreView {
    /// Whether the last read of the store was complete.
    pub reachable: bool,
    /// When the last complete read began of which all is served, Unix milliseconds.
    pub as_of_ms: u64,
    /// Why the last read was not complete.
    pub error: Option<String>,
    /// The store's latest generation, if this server cannot serve it.
    pub unserved_generation: Option<u64>,
}

impl StoreStatus {
    /// A store that was read, and the other end of [`StoreStatus::read_now`].
    pub(crate) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (ask, asked) = mpsc::channel(WAITING);
        (Self { faults: Arc::default(), unserved: Arc::default(), ask }, asked)
    }

    /// Has the store read, and returns when that is done and what was found there is served, or when it failed. Those
    /// who ask at the same time share one read.
    pub async fn read_now(&self) {
        let (done, is_done) = oneshot::channel();
        // Where nobody reads any more the server is stopping.
        if self.ask.send(done).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Has the store read soon. Nobody waits.
    pub fn wake(&self) {
        // Where so many wait for a read, there is one.
        let _ = self.ask.try_send(oneshot::channel().0);
    }

    /// How it does now, given what is served.
    #[must_use]
    pub fn view(&self, current: &Current) -> StoreView {
        let error = self.lock().any().map(str::to_owned);
        let unserved = self.unserved.load(Ordering::Acquire);
        StoreView {
            reachable: error.is_none(),
            as_of_ms: current.as_of().0,
            error,
            unserved_generation: (unserved != 0).then_some(unserved),
        }
    }

    /// A complete read that began at `as_of` is served.
    pub(super) fn read(&self, as_of: UnixMillis) {
        metrics::store_was_read(as_of.seconds().0);
        self.can_be_read();
    }

    /// The store was read, and its latest generation is not served: what is served grows old.
    pub(super) fn can_be_read(&self) {
        self.change(|faults| faults.policy = None);
    }

    /// All revocations were read.
    pub fn revocations_read(&self) {
        self.change(|faults| faults.revocations = None);
    }

    /// Whether the store's latest generation is served; if not, its number.
    pub(super) fn is_unserved(&self, generation: Option<u64>) {
        self.unserved.store(generation.unwrap_or(0), Ordering::Release);
    }

    /// A read failed.
    pub(super) fn failed(&self, fault: &StoreFault) {
        self.change(|faults| faults.policy = Some(fault.to_string()));
    }

    /// A read of revocations failed.
    pub fn revocations_failed(&self, fault: &TailFault) {
        self.change(|faults| faults.revocations = Some(fault.to_string()));
    }

    /// Says what is new: once, and not with each attempt of either reader.
    fn change(&self, change: impl FnOnce(&mut Faults)) {
        let mut faults = self.lock();
        let before = faults.any().map(str::to_owned);
        change(&mut faults);
        match (before, faults.any()) {
            (None, Some(error)) => {
                tracing::error!(error, "the store cannot be read: what is served grows stale");
            }
            (Some(before), Some(error)) if before != error => {
                tracing::warn!(error, "the store still cannot be read");
            }
            (Some(_), None) => tracing::info!("the store can be read again"),
            _ => {}
        }
        metrics::store_is_up(faults.any().is_none());
    }

    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults {
    fn any(&self) -> Option<&str> {
        self.policy.as_deref().or(self.revocations.as_deref())
    }
}
