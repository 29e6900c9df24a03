//! From the acknowledgement of a completion to the denial at the last worker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use harness::{Result, error::unexpected, fleet::Gate, http::RawRequest, workers::Worker};
use test_databases::Database;
use tokio::{task::JoinSet, time::sleep};

use super::{
    Options,
    world::{client, fleet, gate, reading, task},
};
use crate::output;

/// Servers, and as many Envoys.
const SERVERS: usize = 2;
/// Between two requests on a connection.
const PACE: Duration = Duration::from_millis(1);
const REVOKED: (u16, &str) = (401, "revoked");

/// What was measured.
pub(super) struct Latency {
    /// From the acknowledgement to the denial at the last worker, in order of length.
    pub(super) delays: Vec<Duration>,
    pub(super) workers: usize,
    /// Requests that were answered meanwhile, a second.
    pub(super) load: f64,
}

impl Latency {
    /// So many of a hundred are not longer.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let last = self.delays.len().saturating_sub(1);
        let place = (self.delays.len() * percent).div_ceil(100).saturating_sub(1).min(last);
        self.delays.get(place).copied().unwrap_or_default()
    }
}

pub(super) async fn measure(options: &Options) -> Result<Latency> {
    let database = Database::postgres();
    let fleet = fleet(&vec![database.url(); SERVERS]).await?;
    let clients = [client(&fleet, 0)?, client(&fleet, 1)?];
    let (mut workers, mut load) = (Vec::new(), Load::default());
    let [first, _] = &clients;
    let other = first.start(&task()).await?;
    let mut gates = Vec::new();
    for number in 0..SERVERS {
        let mut gate = gate(&fleet, number).await?;
        workers.append(&mut gate.workers);
        // Before anything runs: connections are told apart by Envoy's counters.
        load.add(&gate, options.load, &reading(&other.token)).await?;
        gates.push(gate);
    }
    let began = Instant::now();
    let count = workers.len();
    let mut delays = Vec::with_capacity(options.tasks);
    for number in 0..options.tasks {
        let client = &clients[number % SERVERS];
        let started = client.start(&task()).await?;
        let request = reading(&started.token);
        for worker in &mut workers {
            warm(worker, &request).await?;
        }
        let mut denied = JoinSet::new();
        for worker in workers.drain(..) {
            denied.spawn(until_denied(worker, request.clone()));
        }
        client.complete(&started.task).await?;
        let acknowledged = Instant::now();
        let mut last = acknowledged;
        while let Some(ended) = denied.join_next().await {
            let (worker, at) = ended.map_err(unexpected)??;
            workers.push(worker);
            last = last.max(at);
        }
        delays.push(last.duration_since(acknowledged));
        if (number + 1).is_multiple_of(100) {
            output::progress(&format!("{} of {} tasks", number + 1, options.tasks));
        }
    }
    let load = load.end().await? / began.elapsed().as_secs_f64();
    delays.sort_unstable();
    Ok(Latency { delays, workers: count, load })
}

/// A request that passes; the worker then knows the token.
async fn warm(worker: &mut Worker, request: &RawRequest) -> Result<()> {
    match worker.ask(request).await? {
        (200, _) => Ok(()),
        other => Err(unexpected(format!("worker {}: {other:?}", worker.number))),
    }
}

/// Asks all the time; when the first denial came.
async fn until_denied(mut worker: Worker, request: RawRequest) -> Result<(Worker, Instant)> {
    loop {
        let (status, code) = worker.ask(&request).await?;
        match (status, code.as_str()) {
            (200, _) => sleep(PACE).await,
            REVOKED => return Ok((worker, Instant::now())),
            other => return Err(unexpected(format!("worker {}: {other:?}", worker.number))),
        }
    }
}

/// Requests that pass, all the time.
#[derive(Default)]
struct Load {
    clients: JoinSet<Result<()>>,
    stopped: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
}

impl Load {
    /// `count` connections to workers of `gate`.
    async fn add(&mut self, gate: &Gate, count: usize, request: &RawRequest) -> Result<()> {
        let mut connections = Vec::new();
        while connections.len() < count {
            connections.extend(Worker::each(&gate.envoy).await?);
        }
        for mut worker in connections.into_iter().take(count) {
            let (stopped, answered) = (Arc::clone(&self.stopped), Arc::clone(&self.answered));
            let request = request.clone();
            self.clients.spawn(async move {
                while !stopped.load(Ordering::Relaxed) {
                    warm(&mut worker, &request).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                    sleep(PACE).await;
                }
                Ok(())
            });
        }
        Ok(())
    }

    /// How many were answered.
    async fn end(mut self) -> Result<f64> {
        self.stopped.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.map_err(unexpected)??;
        }
        Ok(self.answered.load(Ordering::Relaxed) as f64)
    }
}
