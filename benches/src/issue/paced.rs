//! Calls of their own, so many a second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{Result, error::unexpected, wait};
use tokio::{sync::mpsc, task::yield_now};

use super::client::Clients;

/// One round: how long after it was due each answer came.
pub(super) struct Paced {
    /// Sorted.
    latencies: Vec<Duration>,
}

/// Calls `rate` times a second for `seconds`, whether or not answers come: who waits for an answer before the next call
/// measures a server that has time.
///
/// # Errors
/// A call is refused.
pub(super) async fn run(clients: &Arc<Clients>, rate: u64, seconds: u64) -> Result<Paced> {
    let calls = rate * seconds;
    let (done, mut answers) = mpsc::unbounded_channel();
    let started = Instant::now();
    let due = |call: u64| started + Duration::from_secs(1).mul_f64(call as f64 / rate as f64);
    let mut call = 0;
    while call < calls {
        // The timer counts milliseconds; this core has nothing else to do.
        while call < calls && due(call) <= Instant::now() {
            let (clients, done, due) = (Arc::clone(clients), done.clone(), due(call));
            tokio::spawn(async move {
                let answer = clients.client(call).issue_token(clients.request(clients.issue(call))).await;
                // Whoever counts has gone only after a failure.
                let _ = done.send(answer.map(|_| due.elapsed()));
            });
            call += 1;
        }
        yield_now().await;
    }
    drop(done);
    let collecting = async {
        let mut latencies = Vec::new();
        while let Some(answer) = answers.recv().await {
            latencies.push(answer.map_err(unexpected)?);
        }
        Ok(latencies)
    };
    let mut latencies = wait::within(wait::PATIENCE, "the last answers", collecting).await??;
    latencies.sort_unstable();
    Ok(Paced { latencies })
}

impl Paced {
    /// What `percent` of the answers took at most.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).copied().unwrap_or_default()
    }

    /// How many calls there were.
    pub(super) fn calls(&self) -> usize {
        self.latencies.len()
    }
}
