//! The gRPC service.
//!
//! Written by hand where `AuthorizationServer` would be generated, for two reasons: the caller's identity is
//! checked before a byte of the message is read, and the message is decoded leniently (see [`super::wire`]).

use std::{
    convert::Infallible,
    future::ready,
    task::{Context, Poll},
};

use envoy_types::ext_authz::v3::pb::CheckResponse;
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstCodec;

use super::{judge::judge, reflection::SERVICE, wire::CheckRequest};
use crate::{
    audit::Recorder,
    identity::{DataPlane, Identity},
    state::Current,
    uses::Uses,
};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// `envoy.service.auth.v3.Authorization` for the callers of one listener.
#[derive(Clone, Debug)]
pub struct CheckServer {
    current: Current,
    uses: Uses,
    identity: Identity,
    recorder: Recorder,
    message_bytes: usize,
}

impl CheckServer {
    /// Answers callers that prove `identity`, by the state of the moment and what `uses` counts, and has what was decided
    /// recorded. Longer messages than `message_bytes` are refused.
    #[must_use]
    pub(crate) fn new(
        current: Current,
        uses: Uses,
        identity: Identity,
        recorder: Recorder,
        message_bytes: usize,
    ) -> Self {
        Self { current, uses, identity, recorder, message_bytes }
    }
}

impl NamedService for CheckServer {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for CheckServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let data_plane = match self.identity.authenticate(SERVICE, &request) {
            Ok(plane) => plane.clone(),
            Err(status) => return Box::pin(ready(Ok(status.into_http()))),
        };
        if request.uri().path() != CHECK {
            return Box::pin(ready(Ok(Status::unimplemented("no such method").into_http())));
        }
        let (current, uses) = (self.current.clone(), self.uses.clone());
        let method = Check { current, uses, recorder: self.recorder.clone(), data_plane };
        let codec: ProstCodec<CheckResponse, CheckRequest> = ProstCodec::default();
        let mut grpc = Grpc::new(codec).max_decoding_message_size(self.message_bytes);
        Box::pin(async move { Ok(grpc.unary(method, request).await) })
    }
}

struct Check {
    current: Current,
    uses: Uses,
    recorder: Recorder,
    data_plane: DataPlane,
}

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = BoxFuture<tonic::Response<CheckResponse>, Status>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let Self { current, uses, recorder, data_plane } = self;
        let (uses, recorder, data_plane) = (uses.clone(), recorder.clone(), data_plane.clone());
        // In this order: a state may be younger than the instant it is judged by, and never older.
        let as_of = current.as_of();
        let state = current.load();
        Box::pin(async move {
            let response = judge(&state, as_of, &uses, &data_plane, &recorder, request.into_inner()).await;
            Ok(tonic::Response::new(response))
        })
    }
}
