//! How the store does, for operators; and a way to have it read at once.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::StoreFault;
use crate::{clock::UnixMillis, state::Current, telemetry::metrics};

/// Who waits for a read that has not begun. More than these wait for a place.
const WAITING: usize = 64;

/// Follows how the reads of the store end.
#[derive(Clone, Debug)]
pub struct StoreStatus {
    fault: Arc<Mutex<Option<String>>>,
    /// 0: the latest generation is served.
    unserved: Arc<AtomicU64>,
    ask: mpsc::Sender<oneshot::Sender<()>>,
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
    pub(super) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (ask, asked) = mpsc::channel(WAITING);
        (Self { fault: Arc::default(), unserved: Arc::default(), ask }, asked)
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

    /// How it does now, given what is served.
    #[must_use]
    pub fn view(&self, current: &Current) -> StoreView {
        let error = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
        if self.replace(None).is_some() {
            tracing::info!("the store can be read again");
        }
    }

    /// Whether the store's latest generation is served; if not, its number.
    pub(super) fn is_unserved(&self, generation: Option<u64>) {
        self.unserved.store(generation.unwrap_or(0), Ordering::Release);
    }

    /// A read failed.
    pub(super) fn failed(&self, fault: &StoreFault) {
        metrics::store_failed();
        let text = fault.to_string();
        // Once, and not with each attempt.
        match self.replace(Some(text.clone())) {
            None => tracing::error!(error = %fault, "the store cannot be read: what is served grows stale"),
            Some(before) if before != text => {
                tracing::warn!(error = %fault, "the store still cannot be read");
            }
            Some(_) => {}
        }
    }

    fn replace(&self, fault: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.fault.lock().unwrap_or_else(PoisonError::into_inner), fault)
    }
}
