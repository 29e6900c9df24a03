//! How many requests may be in progress, and for how long. Strangers share few places, for a short time; streams that
//! follow the feed have places of their own, without an end.

use std::{sync::Arc, time::Duration};

use http::Request;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{guard::Protocol, seats::Seat};
use crate::{config::Limits, feed, identity::Identity};

/// The places of one listener.
#[derive(Clone, Debug)]
pub(super) struct Places {
    known: Lane,
    /// Where the protocol has a feed.
    feed: Option<Lane>,
    strangers: Option<(Identity, Lane)>,
}

#[derive(Clone, Debug)]
struct Lane {
    places: Arc<Semaphore>,
    /// `None`: as long as it takes.
    time: Option<Duration>,
}

/// A request's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// When the request has to be over; `None` for a stream that follows the feed.
    pub(super) end: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// Places for a listener. With an `identity`, whoever does not prove it is a stranger.
    pub(super) fn new(protocol: Protocol, identity: Option<Identity>, limits: &Limits) -> Self {
        let lane = |places, time| Lane { places: Arc::new(Semaphore::new(places)), time };
        Self {
            known: lane(limits.requests.get(), Some(limits.request_timeout)),
            feed: (protocol == Protocol::Grpc).then(|| lane(limits.feed_streams.get(), None)),
            strangers: identity.map(|identity| {
                (identity, lane(limits.stranger_requests(), Some(limits.stranger_timeout())))
            }),
        }
    }

    /// A place for a request. Its connection may stay once one of its requests was proven.
    /// `None`: there is none left.
    pub(super) fn take<B>(&self, request: &Request<B>, seat: &Seat) -> Option<Place> {
        match &self.strangers {
            Some((identity, lane)) if !identity.is_proven_by(request) => lane.take(),
            _ if seat.keep() => match &self.feed {
                Some(feed) if request.uri().path() == feed::WATCH => feed.take(),
                _ => self.known.take(),
            },
            _ => None,
        }
    }
}

impl Lane {
    fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { end: self.time.map(|time| Instant::now() + time), _permit: permit })
    }
}
