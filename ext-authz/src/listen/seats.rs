//! Who may have a connection open.
//!
//! Where callers can prove who they are, everyone begins as a newcomer. Newcomers have few seats of their own, and
//! the one that has sat longest gives way to the next: strangers can fill those seats, but cannot keep out anyone
//! whose first request is a proof. Whoever gave one sits among the known, and gives way to nobody.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// The seats of one listener.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    known: Arc<Semaphore>,
    /// Of the known, those who are clients: neither they nor data planes take a seat from the others.
    clients: Arc<Semaphore>,
    /// `None` where nobody can prove anything: all sit together then.
    newcomers: Option<Newcomers>,
}

#[derive(Clone, Debug)]
struct Newcomers {
    most: usize,
    seated: Arc<Mutex<Seated>>,
}

/// Newcomers in the order in which they came, and how to tell each to go.
#[derive(Debug, Default)]
struct Seated {
    next: u64,
    by_age: BTreeMap<u64, Arc<Notify>>,
}

/// The seat of one connection, free again when its last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Seat(Arc<Sitting>);

#[derive(Debug)]
struct Sitting {
    known: Arc<Semaphore>,
    clients: Arc<Semaphore>,
    place: Mutex<Option<OwnedSemaphorePermit>>,
    newcomer: Option<Newcomer>,
}

#[derive(Debug)]
struct Newcomer {
    among: Newcomers,
    id: u64,
    unseated: Arc<Notify>,
}

impl Seats {
    /// Seats for a listener; with `newcomers`, connections begin as such.
    pub(super) fn new(limits: &Limits, newcomers: bool) -> Self {
        let most = limits.newcomers();
        Self {
            known: Arc::new(Semaphore::new(limits.connections.get())),
            clients: Arc::new(Semaphore::new(limits.connections.get())),
            newcomers: newcomers.then(|| Newcomers { most, seated: Arc::default() }),
        }
    }

    /// Returns when a connection may be accepted: with the place it will have, or at once and without where
    /// another would give way to it.
    pub(super) async fn vacancy(&self) -> Option<OwnedSemaphorePermit> {
        match self.newcomers {
            Some(_) => None,
            // An error means that the semaphore was closed, which nobody does.
            None => Arc::clone(&self.known).acquire_owned().await.ok(),
        }
    }

    /// Seats a connection that was accepted.
    pub(super) fn take(&self, place: Option<OwnedSemaphorePermit>) -> Seat {
        Seat(Arc::new(Sitting {
            known: Arc::clone(&self.known),
            clients: Arc::clone(&self.clients),
            place: Mutex::new(place),
            newcomer: self.newcomers.as_ref().map(Newcomers::seat),
        }))
    }
}

impl Newcomers {
    fn seat(&self) -> Newcomer {
        let mut seated = lock(&self.seated);
        if seated.by_age.len() >= self.most
            && let Some((_, oldest)) = seated.by_age.pop_first()
        {
            oldest.notify_one();
        }
        let (id, unseated) = (seated.next, Arc::new(Notify::new()));
        seated.next += 1;
        seated.by_age.insert(id, Arc::clone(&unseated));
        Newcomer { among: self.clone(), id, unseated }
    }
}

impl Seat {
    /// Moves whoever sits here among the known, if need be. `false`: there are too many of them already.
    pub(super) fn keep(&self) -> bool {
        self.keep_among(&self.0.known)
    }

    /// As [`Seat::keep`], for a client.
    pub(super) fn keep_for_client(&self) -> bool {
        self.keep_among(&self.0.clients)
    }

    fn keep_among(&self, seats: &Arc<Semaphore>) -> bool {
        let mut place = lock(&self.0.place);
        if place.is_none() {
            *place = Arc::clone(seats).try_acquire_owned().ok();
            if place.is_some()
                && let Some(newcomer) = &self.0.newcomer
            {
                newcomer.leave();
            }
        }
        place.is_some()
    }

    /// Returns when this seat has gone to someone else; never, among the known.
    pub(super) async fn lost(&self) {
        match &self.0.newcomer {
            Some(newcomer) => newcomer.unseated.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Newcomer {
    fn leave(&self) {
        lock(&self.among.seated).by_age.remove(&self.id);
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.leave();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
