//! How many requests may be in progress, and for how long. Strangers share few places, for a short time.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::seats::Seat;
use crate::{check::Identity, config::Limits};

/// The places of one listener.
#[derive(Clone, Debug)]
pub(super) struct Places {
    known: Lane,
    strangers: Option<(Identity, Lane)>,
}

#[derive(Clone, Debug)]
struct Lane {
    places: Arc<Semaphore>,
    time: Duration,
}

/// A request's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// When the request has to be over.
    pub(super) end: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// Places for a listener. With an `identity`, whoever does not prove it is a stranger.
    pub(super) fn new(identity: Option<Identity>, limits: &Limits) -> Self {
        let lane = |places, time| Lane { places: Arc::new(Semaphore::new(places)), time };
        Self {
            known: lane(limits.requests.get(), limits.request_timeout),
            strangers: identity
                .map(|identity| (identity, lane(limits.stranger_requests(), limits.stranger_timeout()))),
        }
    }

    /// A place for a request with these header fields. Its connection may stay once one of its requests was proven.
    /// `None`: there is none left.
    pub(super) fn take(&self, headers: &HeaderMap, seat: &Seat) -> Option<Place> {
        match &self.strangers {
            Some((identity, lane)) if !identity.is_proven_by(headers) => lane.take(),
            _ if seat.keep() => self.known.take(),
            _ => None,
        }
    }
}

impl Lane {
    fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { end: Instant::now() + self.time, _permit: permit })
    }
}
