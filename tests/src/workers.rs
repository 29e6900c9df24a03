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
    place: Place,
}

/// An Envoy, as far as its workers are to be told apart.
#[derive(Debug, Clone, Copy)]
struct Place {
    admin: SocketAddr,
    listener: SocketAddr,
    workers: u32,
}

impl Worker {
    /// A connection to each worker of `envoy` by its only listener, in order. Nobody else may connect meanwhile.
    ///
    /// # Errors
    /// Envoy does not take connections, or counts none.
    pub async fn each(envoy: &Envoy) -> Result<Vec<Self>> {
        let place = Place { admin: envoy.admin, listener: envoy.only_listener()?, workers: envoy.workers() };
        let mut found: Vec<Option<Self>> = (0..place.workers).map(|_| None).collect();
        while found.iter().any(Option::is_none) {
            let worker = Self::open(place).await?;
            if let Some(empty @ None) = found.get_mut(worker.number as usize) {
                *empty = Some(worker);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Another connection to the same worker. Nobody else may connect meanwhile.
    ///
    /// # Errors
    /// As of [`Worker::each`].
    pub async fn reopen(&mut self) -> Result<()> {
        // The kernel chooses; it chooses each from time to time.
        loop {
            let worker = Self::open(self.place).await?;
            if worker.number == self.number {
                *self = worker;
                return Ok(());
            }
        }
    }

    async fn open(place: Place) -> Result<Self> {
        let Place { admin, listener, workers } = place;
        let before = Stats::read(admin).await?;
        let stream = TcpStream::connect(listener).await.context(|| format!("connect to {listener}"))?;
        let counted = async {
            loop {
                let now = Stats::read(admin).await?;
                let has_grown = |worker: &u32| connections(&now, *worker) > connections(&before, *worker);
                let mut grown = (0..workers).filter(has_grown);
                match (grown.next(), grown.next()) {
                    (Some(_), Some(_)) => return Err(unexpected("somebody else connects")),
                    (Some(worker), None) => return Ok(worker),
                    (None, _) => {}
                }
            }
        };
        let number = wait::within(wait::PATIENCE, "a worker to count a connection", counted).await??;
        Ok(Self { number, wire: Wire::new(stream), place })
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

    /// As [`Worker::ask`], where Envoy may end the connection with its answer, as it does after 400. Nobody else may
    /// connect meanwhile.
    ///
    /// # Errors
    /// The connection ended without an answer.
    pub async fn ask_again(&mut self, request: &RawRequest) -> Result<Answer> {
        let response = self.send(request).await?;
        if !h1::keeps_alive(&response.headers) {
            self.reopen().await?;
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
