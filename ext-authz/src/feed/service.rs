//! The gRPC service.
//!
//! Written by hand where `DataPlaneServer` would be generated, for two reasons: the caller's identity is checked
//! before a byte of its messages is read, and snapshots go out as bytes that all streams share.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use futures_util::stream;
use http::{HeaderValue, Request, Response, header};
use http_body_util::StreamBody;
use tonic::{Status, codegen::Service, server::NamedService};

use super::{Publications, Refresh, Registry, SERVICE, WATCH, session::Session, up::Up};
use crate::{audit::Recorder, config::Limits, identity::Identity, listen::Shutdown};

/// Most bytes of a watcher's message: decisions of 128 KiB, and some more.
const MESSAGE_BYTES: usize = 192 * 1024;

/// What all streams of the feed share.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What is sent.
    pub publications: Arc<Publications>,
    /// Who watches.
    pub registry: Registry,
    /// How to find out about newer versions.
    pub refresh: Refresh,
    /// When to send watchers elsewhere.
    pub shutdown: Shutdown,
    /// Bytes of a message, and time for a Hello.
    pub limits: Limits,
    /// Takes what was decided.
    pub recorder: Recorder,
}

/// `writ.v1.DataPlane` for the callers of one listener.
#[derive(Clone, Debug)]
pub struct FeedServer {
    feed: Arc<Feed>,
    identity: Identity,
}

impl FeedServer {
    /// Feeds callers that prove `identity`.
    #[must_use]
    pub fn new(feed: Arc<Feed>, identity: Identity) -> Self {
        Self { feed, identity }
    }

    fn watch(&self, request: Request<tonic::body::Body>) -> Result<Response<tonic::body::Body>, Status> {
        let plane = self.identity.authenticate(SERVICE, &request)?;
        if request.uri().path() != WATCH {
            return Err(Status::unimplemented("no such method"));
        }
        let channel = self.feed.publications.channel(&plane.scope);
        let channel = channel.ok_or_else(|| Status::internal("this scope is not published"))?;
        let up = Up::new(Body::new(request.into_body()), self.feed.limits.message_bytes.min(MESSAGE_BYTES));
        let session = Session::new(Arc::clone(&self.feed), plane.clone(), channel, up);
        let body = stream::unfold(session, |mut session| async {
            let frame = session.next().await?;
            Some((Ok::<_, Infallible>(frame), session))
        });
        let mut response = Response::new(tonic::body::Body::new(StreamBody::new(body)));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(header::CONTENT_TYPE, grpc);
        Ok(response)
    }
}

impl NamedService for FeedServer {
    const NAME: &'static str = SERVICE;
}

impl Service<Request<tonic::body::Body>> for FeedServer {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        ready(Ok(self.watch(request).unwrap_or_else(|status| status.into_http())))
    }
}
