//! Clients on a listener where they are neither strangers nor data planes: they prove themselves before their request is
//! read, and have places of their own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    places::{Admission, Lane, Place},
    seats::Seat,
};
use crate::{
    clients::{AuthenticatedClient, AuthenticationError, ClientCredentials, ClientProof},
    config::Limits,
    rpc,
    state::Current,
};

/// Places of clients.
#[derive(Clone, Debug)]
pub(super) struct ClientLanes {
    current: Current,
    requests: Lane,
    batches: Lane,
    /// No client may take more than half of the batches from the others.
    shares: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
    batches_of_one: usize,
}

/// Credentials whose proof takes time.
#[derive(Debug)]
pub(super) struct Claim {
    credentials: ClientCredentials,
    lanes: ClientLanes,
}

impl ClientLanes {
    pub(super) fn new(current: Current, limits: &Limits) -> Self {
        Self {
            current,
            requests: Lane::new(limits.requests.get(), Some(limits.request_timeout)),
            batches: Lane::new(limits.batches(), None),
            shares: Arc::default(),
            batches_of_one: limits.batches_of_one(),
        }
    }

    /// A place for a request of who is no data plane: a stranger's, for whoever cannot be a client. Who it was proven to be
    /// goes with the request.
    pub(super) fn take<B>(&self, request: &mut Request<B>, seat: &Seat, strangers: &Lane) -> Admission {
        let credentials = match ClientCredentials::from_basic(request.headers()) {
            Ok(Some(credentials)) if rpc::is_of_tasks(request.uri().path()) => credentials,
            _ => return Admission::from(strangers.take()),
        };
        match self.current.load().clients().authenticate_at_once(&credentials) {
            Some(client) => Admission::from(self.place(request, client, seat)),
            None => match strangers.take() {
                Some(place) => Admission::Claimed(place, Claim { credentials, lanes: self.clone() }),
                None => Admission::Full,
            },
        }
    }

    fn place<B>(&self, request: &mut Request<B>, client: AuthenticatedClient, seat: &Seat) -> Option<Place> {
        if !seat.keep_for_client() {
            return None;
        }
        let place = if request.uri().path() == rpc::BATCH {
            let share = self.share(client.name())?;
            self.batches.take()?.sharing(share)
        } else {
            self.requests.take()?
        };
        request.extensions_mut().insert(ClientProof(Ok(client)));
        Some(place)
    }

    fn share(&self, client: &str) -> Option<OwnedSemaphorePermit> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        // Names come and go with the policy: those that hold nothing are made again when they are needed.
        shares.retain(|name, share| name == client || share.available_permits() < self.batches_of_one);
        let share =
            shares.entry(client.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.batches_of_one)));
        Arc::clone(share).try_acquire_owned().ok()
    }
}

impl Claim {
    /// Proves it, which gives `request` a place of its own; or not, and then it may stay in the stranger's `place` to be told.
    /// `None`: it was proven, and there is no place left.
    pub(super) async fn settle<B>(
        self,
        request: &mut Request<B>,
        place: Place,
        seat: &Seat,
    ) -> Option<Place> {
        let Self { credentials, lanes } = self;
        match lanes.authenticate(&credentials).await {
            Ok(client) => lanes.place(request, client, seat),
            Err(error) => {
                request.extensions_mut().insert(ClientProof(Err(error)));
                Some(place)
            }
        }
    }
}

impl ClientLanes {
    async fn authenticate(
        &self,
        credentials: &ClientCredentials,
    ) -> Result<AuthenticatedClient, AuthenticationError> {
        self.current.load().clients().authenticate(credentials).await
    }
}
