//! The one way in which replicas write what tokens depend on.
//!
//! Operations of a moment are written together, in one transaction that first locks the store's row: what it reads after
//! that holds until its commit, so that no check can be overtaken, and places in the order of revocations are committed in
//! that order. The events of the operations are in the same transaction, as the next batch of an audit chain: without its
//! events nothing is done. Answers are given after the commit.

mod apply;
mod check;
mod limit;
mod load;
mod memory;
mod queue;
mod save;
mod view;
mod worker;
mod write;

#[cfg(test)]
mod full;

use std::{fmt, sync::Arc};

use audit::{Chain, Lines};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout},
};

pub use limit::{NewLimit, NewUse};
pub(crate) use load::json;
pub use queue::{Figures, Timing};
pub(crate) use save::PUT_KEYS;
pub use write::{Conditions, Ended, KeyChange, MAX_TASK_DEPTH, Used, Write, WriteError, Written};

pub(crate) use self::load::begin as lock;
use self::{
    queue::{Order, Queue, Shared, WAITING},
    worker::Worker,
};
use crate::{
    Head, StoreError, StoreLocation,
    error::Fault,
    link::Link,
    store::{PATIENCE, Store},
};

/// A handle to what writes. All handles of a process share one connection and one audit chain.
#[derive(Clone)]
pub struct Ledger {
    location: StoreLocation,
    orders: mpsc::Sender<Order>,
    shared: Arc<Shared>,
    committed: watch::Receiver<Head>,
}

impl Ledger {
    /// Opens a connection of its own, and brings the schema up to date. The future does the work; it ends when all
    /// handles are gone, or [`Ledger::close`] was called, and what waited is written.
    ///
    /// `chain` must be a new one. Its writer is told by its name, and by the epoch behind it after a restore.
    ///
    /// # Errors
    /// The database cannot be reached, or a newer version of this program has been there.
    pub async fn open(
        location: StoreLocation,
        chain: Chain,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), StoreError> {
        let store = Store::open(location).await?;
        let head = store.head().await?;
        let link = store.lease().await?.link;
        Ok(Self::begin(store, link, head, chain))
    }

    fn begin(
        store: Store,
        link: Link,
        head: Head,
        chain: Chain,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let location = store.location().clone();
        let (orders, waiting) = mpsc::channel(WAITING);
        let (committing, committed) = watch::channel(head);
        let shared = Arc::new(Shared::new());
        let queue = Queue::new(waiting, &shared);
        let worker = Worker::new(store, link, chain, head.epoch, Arc::clone(&shared), committing);
        (Self { location, orders, shared, committed }, worker.run(queue))
    }

    /// Does `write`, and records `events` with it. They are recorded only if it changes something: what was so already is
    /// not told twice.
    ///
    /// An answer comes within 5 s. A call that is dropped before its turn is not done.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn write(&self, write: Write, events: Lines) -> Result<Written, WriteError> {
        check::check(&write)?;
        let place = self.shared.place(size(&write, &events)).ok_or(WriteError::Busy)?;
        let (answer, answered) = oneshot::channel();
        let since = Instant::now();
        self.orders.try_send(Order { write, events, answer, since, place }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Closed,
        })?;
        match timeout(PATIENCE, answered).await {
            Ok(answer) => answer.unwrap_or(Err(WriteError::Closed)),
            Err(_) => Err(StoreError::new(self.location.to_string(), Fault::TimedOut(PATIENCE)).into()),
        }
    }

    /// What counts after each commit of this process; of other replicas' commits it tells with the next of its own.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<Head> {
        self.committed.clone()
    }

    /// How it does.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.shared.figures()
    }

    /// Tells `observer` how long things take from here on, on the task that writes: it must be quick. The first one stays.
    pub fn observe(&self, observer: fn(Timing)) {
        let _ = self.shared.observer.set(observer);
    }

    /// Takes no more. What waits is written still.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
    }
}

/// Bytes that an operation takes while it waits, roughly.
fn size(write: &Write, events: &Lines) -> usize {
    const ROUGHLY: usize = 512;
    let grants = if let Write::Start { task, .. } = write { task.grants.len() } else { 0 };
    ROUGHLY + grants + events.bytes()
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ledger").field("location", &self.location).finish_non_exhaustive()
    }
}
