//! What one connection is doing, to tell one that waits from one that is held open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::config::Limits;

/// Requests in progress on one connection.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<Requests>>);

#[derive(Debug)]
struct Requests {
    /// Start of each request in progress, oldest first.
    open: BTreeMap<u64, Instant>,
    next: u64,
    /// When the last request ended, or the connection began.
    idle_since: Instant,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct InProgress {
    activity: Activity,
    id: u64,
}

/// Why a connection is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uselessness {
    /// It was of use before, and may be told that it is no longer needed.
    Idle,
    /// It keeps a request from beginning, or a response from ending.
    Held,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Requests { open: BTreeMap::new(), next: 0, idle_since: Instant::now() })))
    }

    pub(super) fn begin(&self) -> InProgress {
        let mut requests = self.lock();
        let id = requests.next;
        requests.next += 1;
        requests.open.insert(id, Instant::now());
        InProgress { activity: self.clone(), id }
    }

    /// When this connection will have done nothing useful for too long, unless something happens until then.
    fn deadline(&self, limits: &Limits) -> (Instant, Uselessness) {
        let requests = self.lock();
        match requests.open.first_key_value() {
            // Twice: the request's own timeout ends it first, unless its response is not being read.
            Some((_, start)) => (*start + limits.request_timeout * 2, Uselessness::Held),
            None if requests.next == 0 => (requests.idle_since + limits.header_timeout, Uselessness::Held),
            None => (requests.idle_since + limits.idle_timeout, Uselessness::Idle),
        }
    }

    /// Returns when this connection has done nothing useful for too long.
    pub(super) async fn exhausted(&self, limits: &Limits) -> Uselessness {
        loop {
            let (deadline, uselessness) = self.deadline(limits);
            if deadline <= Instant::now() {
                return uselessness;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut requests = self.activity.lock();
        requests.open.remove(&self.id);
        requests.idle_since = Instant::now();
    }
}
