//! Tokens on one stream, as many as go.

use std::time::{Duration, Instant};

use harness::{Result, error::unexpected, wait};
use proto::v1::tasks::{
    BatchRequest, BatchResponse, batch_request::Operation, batch_response::Result as Outcome,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::client::Clients;

/// Requests without an answer at a time. The server reads no more of them than it has room for.
const WINDOW: u64 = 4096;
const LIMIT: Duration = Duration::from_secs(120);

/// One round.
pub(super) struct Batched {
    pub(super) tokens: u64,
    pub(super) time: Duration,
}

/// Asks for `tokens` tokens.
///
/// # Errors
/// One is refused.
pub(super) async fn run(clients: &Clients, tokens: u64) -> Result<Batched> {
    let capacity = usize::try_from(WINDOW).unwrap_or_default();
    let (requests, waiting) = mpsc::channel(capacity);
    let request = clients.request(ReceiverStream::new(waiting));
    let answers = clients.client(0).batch(request).await.map_err(unexpected)?;
    let mut answers = answers.into_inner();
    let ask = |id| BatchRequest { id, operation: Some(Operation::Issue(clients.issue(id))) };
    let started = Instant::now();
    let asking = async {
        let mut asked = 0;
        while asked < tokens.min(WINDOW) {
            requests.try_send(ask(asked)).map_err(unexpected)?;
            asked += 1;
        }
        for _ in 0..tokens {
            let answer = answers.message().await.map_err(unexpected)?;
            match answer {
                Some(BatchResponse { result: Some(Outcome::Issue(_)), .. }) => {}
                other => return Err(unexpected(format!("not a token: {other:?}"))),
            }
            if asked < tokens {
                requests.try_send(ask(asked)).map_err(unexpected)?;
                asked += 1;
            }
        }
        Ok(())
    };
    wait::within(LIMIT, "the tokens of a round", asking).await??;
    Ok(Batched { tokens, time: started.elapsed() })
}
