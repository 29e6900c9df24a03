//! A steady stream of one request, to see whether any of them fails.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use harness::{
    Result,
    error::{IoContext, unexpected},
    http::h1,
};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

/// Steady, and nothing that two cores notice.
const PACE: Duration = Duration::from_millis(5);
/// Some minutes of it: a stream that nobody ends ends by itself.
const MOST: usize = 50_000;

/// A stream that flows until it is ended or dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    end: oneshot::Sender<()>,
    task: JoinHandle<Answers>,
}

/// How often each answer came, such as `200` or `403 not_granted`.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<String, usize>);

impl Stream {
    /// Sends the bytes of `request` to `address` again and again, each time on a connection of its own, so that every
    /// worker gets some.
    pub(crate) fn start(address: SocketAddr, request: Vec<u8>) -> Self {
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut answers = Answers::default();
            let mut ticks = interval(PACE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..MOST {
                tokio::select! {
                    _ = &mut ended => break,
                    _ = ticks.tick() => {}
                }
                let answer = send(address, &request).await;
                let answer = answer.unwrap_or_else(|error| format!("no answer ({error})"));
                *answers.0.entry(answer).or_default() += 1;
            }
            answers
        });
        Self { end, task }
    }

    /// Lets the request in progress end, and none follow.
    ///
    /// # Errors
    /// The stream broke, which is a fault of the demo.
    pub(crate) async fn end(self) -> Result<Answers> {
        let Self { end, task } = self;
        drop(end);
        task.await.map_err(unexpected)
    }
}

impl Answers {
    pub(crate) fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// `only 200` if it was the only one, else how often each came.
    pub(crate) fn summary(&self) -> String {
        let mut all = self.0.iter();
        match (all.next(), all.next()) {
            (None, _) => "no answer at all".to_owned(),
            (Some((only, _)), None) => format!("only {only}"),
            _ => {
                let all: Vec<_> = self.0.iter().map(|(answer, count)| format!("{answer}: {count}")).collect();
                all.join(", ")
            }
        }
    }
}

async fn send(address: SocketAddr, request: &[u8]) -> Result<String> {
    let stream = TcpStream::connect(address).await.context(|| "connect".to_owned())?;
    let response = h1::exchange(stream, request).await?.ok_or_else(|| unexpected("closed"))?;
    let body = response.json().unwrap_or_default();
    Ok(match body.get("code").and_then(Value::as_str) {
        Some(code) => format!("{} {code}", response.status),
        None => response.status.to_string(),
    })
}
