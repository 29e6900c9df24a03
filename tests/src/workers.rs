//! Each worker of an Envoy by a connection of its own: what one of them knows, another may not know yet.
//!
//! The kernel spreads new connections over the workers as it likes. Envoy counts connections for each worker, so one that
//! is opened while nobody else connects tells by the counters where it went.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::{
    envoy::{Envoy, Stats},
    error::{IoContext, Result, unexpected},
    http::{RawRequest, Response, h1, wire::Wire},
    wait,
};

/// Status, and of a denial its code.
pub type Answer = (u16, String);

/// A connection to one worker.
#[derive(Debug)]
pub struct Worker {
    /// Which one, from 0.
    pub number: u32,
    wire: Wire<TcpStream>,
}

impl Worker {
    /// A connection to each worker of `envoy` by its only listener, in order. Nobody else may connect meanwhile.
    ///
    /// # Errors
    /// Envoy does not take connections, or counts none.
    pub async fn each(envoy: &Envoy) -> Result<Vec<Self>> {
        let address = envoy.only_listener()?;
        let count = envoy.workers();
        let mut found: Vec<Option<Self>> = (0..count).map(|_| None).collect();
        while found.iter().any(Option::is_none) {
            let worker = Self::open(envoy, address, count).await?;
            if let Some(place @ None) = found.get_mut(worker.number as usize) {
                *place = Some(worker);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// A connection to the worker `number`, if it is there; tries until the kernel chooses it.
    async fn to(envoy: &Envoy, number: u32) -> Result<Self> {
        loop {
            let worker = Self::open(envoy, envoy.only_listener()?, envoy.workers()).await?;
            if worker.number == number {
                return Ok(worker);
            }
        }
    }

    async fn open(envoy: &Envoy, address: SocketAddr, count: u32) -> Result<Self> {
        let before = envoy.stats().await?;
        let stream = TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
        let before = &before;
        let number = wait::until("a worker to count a connection", || async move {
            let now = envoy.stats().await?;
            let grown = |worker: &u32| connections(&now, *worker) > connections(before, *worker);
            let mut grown = (0..count).filter(grown);
            match (grown.next(), grown.next()) {
                (Some(_), Some(_)) => Err(unexpected("somebody else connects")),
                (worker, _) => Ok(worker),
            }
        })
        .await?;
        Ok(Self { number, wire: Wire::new(stream) })
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn send(&mut self, request: &RawRequest) -> Result<Response> {
        use tokio::io::AsyncWriteExt as _;

        let bytes = h1::render(request);
        self.wire.stream().write_all(&bytes).await.context(|| "write a request".to_owned())?;
        let headless = request.method == b"HEAD";
        let answer = wait::within(wait::PATIENCE, "a worker's answer", h1::receive(&mut self.wire, headless));
        answer.await??.ok_or_else(|| unexpected(format!("worker {} closed", self.number)))
    }

    /// As [`Worker::send`]; the verdict.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn ask(&mut self, request: &RawRequest) -> Result<Answer> {
        Ok(answer_of(&self.send(request).await?))
    }

    /// As [`Worker::ask`], where `envoy` may end the connection with its answer, as it does after 400. Nobody else may
    /// connect meanwhile.
    ///
    /// # Errors
    /// The connection ended without an answer.
    pub async fn ask_again(&mut self, envoy: &Envoy, request: &RawRequest) -> Result<Answer> {
        let response = self.send(request).await?;
        if !h1::keeps_alive(&response.headers) {
            *self = Self::to(envoy, self.number).await?;
        }
        Ok(answer_of(&response))
    }
}

/// The verdict in a response.
pub fn answer_of(response: &Response) -> Answer {
    let code = response.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    (response.status, code.unwrap_or_default())
}

fn connections(stats: &Stats, worker: u32) -> u64 {
    let worker = format!(".worker_{worker}.downstream_cx_total");
    // The admin listener runs on the main thread and has no workers.
    stats.matching(&["listener.", &worker]).map(|(_, count)| count).sum()
}
