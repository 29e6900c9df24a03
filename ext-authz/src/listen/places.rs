//! How many requests may be in progress, and for how long. Strangers share few places, for a short time; streams that
//! follow the feed have places of their own, without an end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::Request;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    clients::{Claim, ClientLanes},
    guard::Protocol,
    seats::Seat,
};
use crate::{config::Limits, feed, identity::Identity, state::Current};

/// The places of one listener.
#[derive(Clone, Debug)]
pub(super) struct Places {
    known: Lane,
    /// Where the protocol has a feed.
    feed: Option<FeedLane>,
    strangers: Option<(Identity, Lane)>,
    /// Where they may call, too.
    clients: Option<ClientLanes>,
}

/// Places that are alike.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    places: Arc<Semaphore>,
    /// `None`: as long as it takes.
    time: Option<Duration>,
}

/// Places of streams. Where there are several data planes, none may take more than half of them from the others.
#[derive(Clone, Debug)]
struct FeedLane {
    all: Lane,
    shares: Arc<BTreeMap<Arc<str>, Arc<Semaphore>>>,
}

/// A request's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    /// When the request has to be over; `None` for a stream that lasts.
    pub(super) end: Option<Instant>,
    _permit: OwnedSemaphorePermit,
    /// Of what its data plane, or client, may take.
    _share: Option<OwnedSemaphorePermit>,
}

/// What became of a request that came.
#[derive(Debug)]
pub(super) enum Admission {
    /// It may go on.
    Placed(Place),
    /// It has a stranger's place until its claim is proven.
    Claimed(Place, Claim),
    /// There is no place left.
    Full,
}

impl Places {
    /// Places for a listener. With an `identity`, whoever does not prove it is a stranger, unless they are a client where
    /// `clients` may call.
    pub(super) fn new(
        protocol: Protocol,
        identity: Option<Identity>,
        clients: Option<Current>,
        limits: &Limits,
    ) -> Self {
        let lane = Lane::new;
        Self {
            clients: clients.map(|current| ClientLanes::new(current, limits)),
            known: lane(limits.requests.get(), Some(limits.request_timeout)),
            feed: (protocol == Protocol::Grpc).then(|| {
                let all = lane(limits.feed_streams.get(), None);
                FeedLane { all, shares: Arc::new(shares(identity.as_ref(), limits)) }
            }),
            strangers: identity.map(|identity| {
                (identity, lane(limits.stranger_requests(), Some(limits.stranger_timeout())))
            }),
        }
    }

    /// A place for a request. Its connection may stay once one of its requests was proven.
    pub(super) fn take<B>(&self, request: &mut Request<B>, seat: &Seat) -> Admission {
        let name = match &self.strangers {
            None => None,
            Some((identity, strangers)) => match identity.prove(request) {
                Ok(plane) => Some(&plane.name),
                Err(_) => {
                    return match &self.clients {
                        Some(clients) => clients.take(request, seat, strangers),
                        None => Admission::from(strangers.take()),
                    };
                }
            },
        };
        if !seat.keep() {
            return Admission::Full;
        }
        Admission::from(match &self.feed {
            Some(feed) if request.uri().path() == feed::WATCH => feed.take(name),
            _ => self.known.take(),
        })
    }
}

fn shares(identity: Option<&Identity>, limits: &Limits) -> BTreeMap<Arc<str>, Arc<Semaphore>> {
    let names = identity.map(Identity::names).unwrap_or_default();
    if names.len() < 2 {
        return BTreeMap::new();
    }
    let most = limits.feed_streams_of_one();
    names.into_iter().map(|name| (name, Arc::new(Semaphore::new(most)))).collect()
}

impl FeedLane {
    fn take(&self, name: Option<&Arc<str>>) -> Option<Place> {
        let share = match name.and_then(|name| self.shares.get(name)) {
            Some(share) => Some(Arc::clone(share).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Place { _share: share, ..self.all.take()? })
    }
}

impl Lane {
    pub(super) fn new(places: usize, time: Option<Duration>) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), time }
    }

    pub(super) fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place { end: self.time.map(|time| Instant::now() + time), _permit: permit, _share: None })
    }
}

impl Place {
    /// The same, as one of those that a caller of several may have.
    pub(super) fn sharing(self, share: OwnedSemaphorePermit) -> Self {
        Self { _share: Some(share), ..self }
    }
}

impl From<Option<Place>> for Admission {
    fn from(place: Option<Place>) -> Self {
        place.map_or(Self::Full, Self::Placed)
    }
}
