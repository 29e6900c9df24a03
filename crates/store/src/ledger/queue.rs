//! What waits to be written: bounded in number and in bytes.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use audit::Lines;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::yield_now,
    time::Instant,
};

use super::{Write, WriteError, Written};

/// Operations that may wait.
pub(super) const WAITING: usize = 8192;
/// Bytes of them, roughly.
const WAITING_BYTES: usize = 32 * 1024 * 1024;
/// Operations that one transaction takes at most.
const BATCH: usize = 1024;
/// Bytes that one transaction takes at most, but for the last operation.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How often others are let run before a transaction begins.
const ROUNDS: usize = 8;

pub(super) type Answer = oneshot::Sender<Result<Written, WriteError>>;

/// An operation that waits.
pub(super) struct Order {
    pub(super) write: Write,
    pub(super) events: Lines,
    pub(super) answer: Answer,
    /// Since when it waits.
    pub(super) since: Instant,
    /// Frees its place when it is dropped.
    pub(super) place: Place,
}

impl Order {
    /// Whether anybody waits for the answer. Whoever has gone was told that it failed, or nothing.
    pub(super) fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }
}

/// Room for one operation.
pub(super) struct Place {
    shared: Arc<Shared>,
    bytes: usize,
}

/// What handles and the worker share.
pub(super) struct Shared {
    waiting: AtomicUsize,
    bytes: AtomicUsize,
    pub(super) batches: AtomicU64,
    pub(super) events: AtomicU64,
    pub(super) committed_at: AtomicU64,
    pub(super) operations: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Who wants to know how long it takes.
    pub(super) observer: OnceLock<fn(Timing)>,
    pub(super) closing: watch::Sender<bool>,
}

/// How the ledger does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Operations that wait or are being written.
    pub waiting: usize,
    /// Their bytes, roughly.
    pub waiting_bytes: usize,
    /// Transactions that were committed.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// When the last one was sealed, Unix milliseconds; 0 before the first.
    pub committed_at: u64,
    /// Operations that were done, or refused for what they ask.
    pub operations: u64,
    /// Transactions that failed.
    pub failed: u64,
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// An operation waited for its transaction to begin.
    Waited(Duration),
    /// A transaction, from its first statement to the end of its commit.
    Committed(Duration),
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            batches: AtomicU64::new(0),
            events: AtomicU64::new(0),
            committed_at: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            observer: OnceLock::new(),
            closing: watch::Sender::new(false),
        }
    }

    /// Room for `bytes`, if there is any.
    pub(super) fn place(self: &Arc<Self>, bytes: usize) -> Option<Place> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Dropped, it takes back what was added.
        let place = Place { shared: Arc::clone(self), bytes };
        (before.saturating_add(bytes) <= WAITING_BYTES).then_some(place)
    }

    pub(super) fn observe(&self, timing: Timing) {
        if let Some(observer) = self.observer.get() {
            observer(timing);
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            waiting: self.waiting.load(Ordering::Relaxed),
            waiting_bytes: self.bytes.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            committed_at: self.committed_at.load(Ordering::Relaxed),
            operations: self.operations.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The worker's end.
pub(super) struct Queue {
    orders: mpsc::Receiver<Order>,
    closing: watch::Receiver<bool>,
}

impl Queue {
    pub(super) fn new(orders: mpsc::Receiver<Order>, shared: &Shared) -> Self {
        Self { orders, closing: shared.closing.subscribe() }
    }

    /// Waits for what is next, and takes what came with it. `None` once nothing waits and nothing more can come.
    ///
    /// A transaction costs the same for one operation as for many. So whoever can run already is let run first, and may
    /// have something to be written, too: under load batches grow, and where there is none nobody waits.
    pub(super) async fn take(&mut self) -> Option<Vec<Order>> {
        let first = loop {
            let is_closing = *self.closing.borrow_and_update();
            if is_closing {
                self.orders.close();
            }
            tokio::select! {
                biased;
                order = self.orders.recv() => match order? {
                    order if order.is_awaited() => break order,
                    _ => {}
                },
                _ = self.closing.changed(), if !is_closing => {}
            }
        };
        let mut bytes = first.place.bytes;
        let mut taken = vec![first];
        for _ in 0..ROUNDS {
            yield_now().await;
            let before = taken.len();
            while taken.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(order) = self.orders.try_recv() else { break };
                if order.is_awaited() {
                    bytes += order.place.bytes;
                    taken.push(order);
                }
            }
            if taken.len() == before {
                break;
            }
        }
        Some(taken)
    }
}
