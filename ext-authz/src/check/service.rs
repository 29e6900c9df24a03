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

use super::{
    body,
    judge::{Judged, Known, Means, judge, not_http},
    read::Question,
    reflection::SERVICE,
    wire::CheckRequest,
};
use crate::{
    audit::Recorder,
    credentials::Credentials,
    identity::{DataPlane, Identity},
    state::Current,
    uses::{Asked, Uses},
};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// `envoy.service.auth.v3.Authorization` for the callers of one listener.
#[derive(Clone, Debug)]
pub struct CheckServer {
    current: Current,
    uses: Uses,
    identity: Identity,
    recorder: Recorder,
    credentials: Credentials,
    message_bytes: usize,
}

impl CheckServer {
    /// Answers callers that prove `identity`, by the state of the moment and what `uses` counts, and has what was decided
    /// recorded; granted requests are given `credentials` where their host has one. Longer messages than `message_bytes` are
    /// refused.
    #[must_use]
    pub(crate) fn new(
        current: Current,
        uses: Uses,
        identity: Identity,
        recorder: Recorder,
        credentials: Credentials,
        message_bytes: usize,
    ) -> Self {
        Self { current, uses, identity, recorder, credentials, message_bytes }
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
        let method = Check {
            current: self.current.clone(),
            uses: self.uses.clone(),
            recorder: self.recorder.clone(),
            credentials: self.credentials.clone(),
            data_plane,
        };
        let codec: ProstCodec<CheckResponse, CheckRequest> = ProstCodec::default();
        let mut grpc = Grpc::new(codec).max_decoding_message_size(self.message_bytes);
        Box::pin(async move { Ok(grpc.unary(method, request).await) })
    }
}

#[derive(Clone)]
struct Check {
    current: Current,
    uses: Uses,
    recorder: Recorder,
    credentials: Credentials,
    data_plane: DataPlane,
}

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = BoxFuture<tonic::Response<CheckResponse>, Status>;

    fn call(&mut self, request: tonic::Request<CheckRequest>) -> Self::Future {
        let announced = body::announced(request.metadata());
        let check = self.clone();
        Box::pin(async move {
            Ok(tonic::Response::new(match Question::read(request.into_inner(), announced) {
                Ok(question) => check.answer(&question).await?,
                Err(error) => not_http(&check.data_plane, error),
            }))
        })
    }
}

impl Check {
    /// Asks for what is missing, each once, and judges again by what is in force then: what was revoked or edited meanwhile
    /// counts.
    async fn answer(&self, question: &Question) -> Result<CheckResponse, Status> {
        let mut known = Known::default();
        loop {
            match self.judge(question, &known) {
                Judged::Answer(response) => return Ok(*response),
                Judged::Awaits(keeper) if !known.has_waited => {
                    // Whatever comes of it, the next judgement sees.
                    let _ = keeper.soon().await;
                    known.has_waited = true;
                }
                Judged::Counts(limited) if known.used.is_none() => {
                    let limit = limited.limit().clone();
                    let asked =
                        Asked { decision: &question.decision, token: limited.token(), grant: limit.grant };
                    let outcome = self.uses.count(&self.data_plane, asked).await.outcome;
                    known.used = Some((limit, outcome));
                }
                Judged::Awaits(_) | Judged::Counts(_) => return Err(Status::internal("asks once")),
            }
        }
    }

    fn judge(&self, question: &Question, known: &Known) -> Judged {
        let Self { current, recorder, credentials, data_plane, .. } = self;
        // In this order: a state may be younger than the instant it is judged by, and never older.
        let as_of = current.as_of();
        let state = current.load();
        judge(&state, as_of, data_plane, &Means { recorder, credentials }, question, known)
    }
}
