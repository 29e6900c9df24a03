//! The gRPC service.
//!
//! Written by hand where `TasksServer` would be generated: a caller that is no client is refused before a byte of its
//! messages is read, and all calls with one answer are one kind of call.

use std::{
    convert::Infallible,
    future::ready,
    task::{Context, Poll},
};

use bytes::Bytes;
use proto::v1::tasks::{BatchRequest, BatchResponse};
use tonic::{
    Status, Streaming,
    body::Body,
    codegen::{BoxFuture, Service},
    server::{Grpc, NamedService, StreamingService, UnaryService},
};
use tonic_prost::ProstCodec;

use super::{
    BATCH, SERVICE,
    batch::{self, Batch},
    operations::{Method, Operations},
    raw::RawCodec,
    refusal::Refusal,
};
use crate::{
    clients::{AuthenticatedClient, ClientCredentials, ClientProof, CredentialsError},
    listen::Shutdown,
    server::Api,
};

/// `writ.v1.Tasks`.
#[derive(Clone, Debug)]
pub struct TasksServer {
    api: Api,
    shutdown: Shutdown,
}

impl TasksServer {
    /// Serves `api`; batches end at `shutdown`.
    #[must_use]
    pub fn new(api: Api, shutdown: Shutdown) -> Self {
        Self { api, shutdown }
    }
}

impl NamedService for TasksServer {
    const NAME: &'static str = SERVICE;
}

impl Service<http::Request<Body>> for TasksServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let client = match proven(&request) {
            Ok(client) => client,
            Err(refusal) => return Box::pin(ready(Ok(Status::from(refusal).into_http()))),
        };
        let most = self.api.config.limits.body_bytes;
        let operations = Operations::new(self.api.clone(), client);
        if request.uri().path() == BATCH {
            // It was proven by them.
            let Ok(Some(credentials)) = ClientCredentials::from_basic(request.headers()) else {
                return Box::pin(ready(Ok(Status::internal("no credentials").into_http())));
            };
            let method =
                Batches { operations, credentials: Some(credentials), shutdown: self.shutdown.clone() };
            let codec: ProstCodec<BatchResponse, BatchRequest> = ProstCodec::default();
            let mut grpc = Grpc::new(codec).max_decoding_message_size(most);
            return Box::pin(async move { Ok(grpc.streaming(method, request).await) });
        }
        let Some(method) = Method::at(request.uri().path()) else {
            return Box::pin(ready(Ok(Status::unimplemented("no such method").into_http())));
        };
        let call = Call { method, operations };
        let mut grpc = Grpc::new(RawCodec).max_decoding_message_size(most);
        Box::pin(async move { Ok(grpc.unary(call, request).await) })
    }
}

/// The client whose request it is. Where nobody looked for one, there was nothing to find.
fn proven(request: &http::Request<Body>) -> Result<AuthenticatedClient, Refusal> {
    match request.extensions().get::<ClientProof>() {
        Some(ClientProof(Ok(client))) => Ok(client.clone()),
        Some(ClientProof(Err(error))) => Err(Refusal::from(*error)),
        None => match ClientCredentials::from_basic(request.headers()) {
            Err(error) => Err(Refusal::from(error)),
            Ok(_) => Err(Refusal::from(CredentialsError::Missing)),
        },
    }
}

/// A call with one answer.
struct Call {
    method: Method,
    operations: Operations,
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = BoxFuture<tonic::Response<Bytes>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (method, operations, message) = (self.method, self.operations.clone(), request.into_inner());
        Box::pin(async move {
            let answer = operations.call(method, message).await;
            answer.map(tonic::Response::new).map_err(Status::from)
        })
    }
}

/// A stream of operations.
struct Batches {
    operations: Operations,
    /// Until the one stream begins.
    credentials: Option<ClientCredentials>,
    shutdown: Shutdown,
}

impl StreamingService<BatchRequest> for Batches {
    type Response = BatchResponse;
    type ResponseStream = batch::Answers;
    type Future = BoxFuture<tonic::Response<batch::Answers>, Status>;

    fn call(&mut self, request: tonic::Request<Streaming<BatchRequest>>) -> Self::Future {
        let Some(credentials) = self.credentials.take() else {
            return Box::pin(ready(Err(Status::internal("a stream begins once"))));
        };
        let requests = request.into_inner();
        let batch = Batch::new(self.operations.clone(), credentials, requests, self.shutdown.clone());
        Box::pin(ready(Ok(tonic::Response::new(batch.answers()))))
    }
}
