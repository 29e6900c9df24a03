//! `writ.v1.DataPlane` for the callers of one listener: the feed, and calls with one answer.

use std::{
    convert::Infallible,
    future::ready,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{
    body::Body,
    codegen::{BoxFuture, Service},
    server::NamedService,
};

use crate::{
    credentials::{LEASE, Leases},
    feed::{self, FeedServer},
    identity::Identity,
    uses::{self, Uses},
};

#[derive(Clone, Debug)]
pub(super) struct DataPlaneServer {
    feed: FeedServer,
    uses: Uses,
    leases: Leases,
    identity: Identity,
}

impl DataPlaneServer {
    /// Answers callers that prove `identity`, each before a byte of its message is read.
    pub(super) fn new(feed: FeedServer, uses: Uses, leases: Leases, identity: Identity) -> Self {
        Self { feed, uses, leases, identity }
    }
}

impl NamedService for DataPlaneServer {
    const NAME: &'static str = feed::SERVICE;
}

impl Service<Request<Body>> for DataPlaneServer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_use = request.uri().path() == uses::USE;
        if !is_use && request.uri().path() != LEASE {
            return Box::pin(self.feed.call(request));
        }
        let plane = match self.identity.authenticate(feed::SERVICE, &request) {
            Ok(plane) => plane.clone(),
            Err(status) => return Box::pin(ready(Ok(status.into_http()))),
        };
        if is_use {
            let counted = uses::count(self.uses.clone(), plane, request);
            return Box::pin(async { Ok(counted.await) });
        }
        let leased = self.leases.clone().answer(plane, request);
        Box::pin(async { Ok(leased.await) })
    }
}
