//! What one connection is doing, to tell one that waits from one that is held open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

use crate::config::Limits;

/// Requests in progress on one connection.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: Mutex<Requests>,
    /// The last request that is no stream that lasts has ended.
    rest: Notify,
}

#[derive(Debug)]
struct Requests {
    /// Requests in progress that have an end, each with its start; and those streams that last that wait for their
    /// reader, each since when.
    open: BTreeMap<u64, Instant>,
    /// Of all in progress, those that are streams that last.
    streams: usize,
    /// Of all in progress, those that are not.
    ending: usize,
    next: u64,
    /// When the last request ended, or the connection began.
    idle_since: Instant,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub(super) struct InProgress {
    activity: Activity,
    id: u64,
    is_stream: bool,
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
        let requests =
            Requests { open: BTreeMap::new(), streams: 0, ending: 0, next: 0, idle_since: Instant::now() };
        Self(Arc::new(Shared { requests: Mutex::new(requests), rest: Notify::new() }))
    }

    /// A request begins. A stream that lasts may take as long as it is read.
    pub(super) fn begin(&self, is_stream: bool) -> InProgress {
        let mut requests = self.lock();
        let id = requests.next;
        requests.next += 1;
        if is_stream {
            requests.streams += 1;
        } else {
            requests.ending += 1;
            requests.open.insert(id, Instant::now());
        }
        InProgress { activity: self.clone(), id, is_stream }
    }

    /// When this connection will have done nothing useful for too long, unless something happens until then.
    fn deadline(&self, limits: &Limits) -> (Instant, Uselessness) {
        // Twice: a request's own timeout ends it first, unless its response is not being read.
        let held = limits.request_timeout * 2;
        let requests = self.lock();
        match requests.open.values().min() {
            Some(start) => (*start + held, Uselessness::Held),
            // To be asked again before a stream that is read now could have been held for too long.
            None if requests.streams > 0 => (Instant::now() + held, Uselessness::Held),
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

    /// Returns when nothing is in progress but streams that last, and there are some.
    pub(super) async fn only_streams(&self) {
        loop {
            let rest = self.0.rest.notified();
            if self.is_only_streams() {
                return;
            }
            rest.await;
        }
    }

    pub(super) fn is_only_streams(&self) -> bool {
        let requests = self.lock();
        requests.ending == 0 && requests.streams > 0
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InProgress {
    /// The same request, which turned out to be a stream.
    pub(super) fn into_stream(self) -> Self {
        self.activity.begin(true)
    }

    /// For a stream: whether there is something that its reader has not taken yet.
    pub(super) fn is_waiting_for_its_reader(&self, waits: bool) {
        let mut requests = self.activity.lock();
        if waits {
            requests.open.insert(self.id, Instant::now());
        } else {
            requests.open.remove(&self.id);
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut requests = self.activity.lock();
        requests.open.remove(&self.id);
        if self.is_stream {
            requests.streams -= 1;
        } else {
            requests.ending -= 1;
        }
        requests.idle_since = Instant::now();
        let is_rest = requests.ending == 0;
        drop(requests);
        if is_rest {
            self.activity.0.rest.notify_one();
        }
    }
}
