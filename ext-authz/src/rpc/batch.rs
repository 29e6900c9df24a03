//! One stream of operations, many at a time.

use std::{pin::Pin, sync::Arc};

use futures_util::{
    Stream, StreamExt as _,
    future::BoxFuture,
    stream::{FuturesUnordered, unfold},
};
use prost::Message as _;
use proto::v1::tasks::{BatchRequest, BatchResponse};
use tokio::sync::watch;
use tonic::{Status, Streaming};

use super::{operations::Operations, refusal::Refusal};
use crate::{clients::ClientCredentials, listen::Shutdown, state::State};

/// Operations in progress on one stream; what is beyond is left unread.
const MOST: usize = 1024;
/// Bytes of all their requests together: one that is too many is the last one read.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What goes back.
pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<BatchResponse, Status>> + Send>>;

/// A stream, and what is in progress on it.
pub(super) struct Batch {
    operations: Operations,
    credentials: ClientCredentials,
    requests: Streaming<BatchRequest>,
    in_progress: FuturesUnordered<BoxFuture<'static, Answered>>,
    /// Bytes of their requests.
    bytes: usize,
    /// What the client was proven by, and what comes to count after it.
    state: Arc<State>,
    states: watch::Receiver<Arc<State>>,
    shutdown: Shutdown,
    input: Input,
}

/// Whether more is read.
#[derive(Debug)]
enum Input {
    Open,
    /// The client is done, and so is the stream once all is answered.
    Ended,
    /// As before; then this is why.
    Refused(Status),
    /// It was said why.
    Over,
}

/// An operation that is done.
struct Answered {
    response: BatchResponse,
    /// Bytes of its request.
    bytes: usize,
}

impl Batch {
    pub(super) fn new(
        operations: Operations,
        credentials: ClientCredentials,
        requests: Streaming<BatchRequest>,
        shutdown: Shutdown,
    ) -> Self {
        let current = operations.current();
        let (states, state) = (current.subscribe(), current.load());
        Self {
            operations,
            credentials,
            requests,
            in_progress: FuturesUnordered::new(),
            bytes: 0,
            state,
            states,
            shutdown,
            input: Input::Open,
        }
    }

    /// Does what is asked for, as its answers are taken.
    pub(super) fn answers(self) -> Answers {
        Box::pin(unfold(self, async |mut batch| {
            let answer = batch.next().await?;
            Some((answer, batch))
        }))
    }

    async fn next(&mut self) -> Option<Result<BatchResponse, Status>> {
        loop {
            let is_open = matches!(self.input, Input::Open);
            tokio::select! {
                biased;
                Some(Answered { response, bytes }) = self.in_progress.next(), if !self.in_progress.is_empty() => {
                    self.bytes -= bytes;
                    return Some(Ok(response));
                }
                () = self.shutdown.requested(), if is_open => {
                    self.input = Input::Refused(Status::unavailable("the server is stopping"));
                }
                Ok(()) = self.states.changed(), if is_open => self.prove_again().await,
                request = self.requests.message(), if is_open && self.has_room() => match request {
                    Ok(Some(request)) => self.begin(request),
                    Ok(None) => self.input = Input::Ended,
                    Err(status) => self.input = Input::Refused(status),
                },
                else => return match std::mem::replace(&mut self.input, Input::Over) {
                    Input::Refused(status) => Some(Err(status)),
                    Input::Open | Input::Ended | Input::Over => None,
                },
            }
        }
    }

    fn has_room(&self) -> bool {
        self.in_progress.len() < MOST && self.bytes < MOST_BYTES
    }

    fn begin(&mut self, request: BatchRequest) {
        let bytes = request.encoded_len();
        self.bytes += bytes;
        let operations = self.operations.clone();
        self.in_progress.push(Box::pin(async move {
            let BatchRequest { id, operation } = request;
            Answered { response: operations.perform(id, operation).await, bytes }
        }));
    }

    /// Whoever is no client any more, or has another secret now, gets nothing more done here.
    async fn prove_again(&mut self) {
        let state = Arc::clone(&self.states.borrow_and_update());
        // Most changes leave the clients as they are.
        if !std::ptr::eq(state.clients(), self.state.clients()) {
            let proven = state.clients().authenticate_again(self.operations.client(), &self.credentials);
            match proven.await {
                Ok(client) => self.operations = self.operations.of(client),
                Err(error) => self.input = Input::Refused(Refusal::from(error).into()),
            }
        }
        self.state = state;
    }
}
