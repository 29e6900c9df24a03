//! Workers of an Envoy that are all asked without end, each by connections of its own, to see when each of them changes
//! its verdict.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use harness::{Error, Result, envoy::Envoy, error::unexpected, http::RawRequest, wait, workers::Worker};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// Between two requests on a connection: nothing that two cores notice.
const PACE: Duration = Duration::from_millis(5);
const REVOKED: (u16, &str) = (401, "revoked");

/// Requests that are sent over and over to every worker, until they are ended or dropped.
#[derive(Debug)]
pub(crate) struct Hammer {
    workers: usize,
    progress: Vec<Arc<Progress>>,
    stopped: Arc<AtomicBool>,
    clients: JoinSet<Result<Seen>>,
}

/// Who reconnects does it alone, to see which worker takes the connection.
type Alone = Arc<Mutex<()>>;

/// How far one connection is.
#[derive(Debug, Default)]
struct Progress {
    allowed: AtomicUsize,
    revoked: AtomicUsize,
}

/// What one connection saw.
#[derive(Debug, Default)]
struct Seen {
    worker: u32,
    allowed: usize,
    revoked: usize,
    /// Requests that were ended in the middle of their answer.
    cut: usize,
    /// When the first denial came. Of a connection that lost an answer: when it had ended, which says less, because Envoy
    /// holds such a connection for a while.
    turned: Option<Instant>,
    /// Whether anything was allowed after that.
    relapsed: bool,
    /// The first answer that was neither.
    other: Option<String>,
}

/// What all connections saw together.
#[derive(Debug)]
pub(crate) struct Seens {
    pub(crate) workers: usize,
    pub(crate) connections: usize,
    pub(crate) allowed: usize,
    pub(crate) revoked: usize,
    /// Requests that were in the middle of their answer.
    pub(crate) cut: usize,
    /// When the last of the workers was seen to deny.
    pub(crate) turned: Option<Instant>,
    verdict: String,
}

impl Hammer {
    /// Begins to send each of `requests` to every worker of `envoy`, each over a connection of its own.
    ///
    /// # Errors
    /// A worker is not reached.
    pub(crate) async fn start(envoy: &Envoy, requests: &[RawRequest]) -> Result<Self> {
        let (mut progress, mut clients) = (Vec::new(), JoinSet::new());
        let stopped = Arc::<AtomicBool>::default();
        let mut connections = Vec::new();
        for request in requests {
            connections
                .extend(Worker::each(envoy).await?.into_iter().map(|worker| (worker, request.clone())));
        }
        let alone = Alone::default();
        for (worker, request) in connections {
            let alone = Arc::clone(&alone);
            let own = Arc::<Progress>::default();
            progress.push(Arc::clone(&own));
            clients.spawn(client(worker, request, own, alone, Arc::clone(&stopped)));
        }
        Ok(Self { workers: envoy.workers() as usize, progress, stopped, clients })
    }

    /// Returns when every connection has been allowed `count` times.
    ///
    /// # Errors
    /// One is not.
    pub(crate) async fn allowed(&self, count: usize) -> Result<()> {
        self.until("every worker to allow", |progress| progress.allowed.load(Ordering::Relaxed) >= count)
            .await
    }

    /// Returns when every connection has been denied `count` times, or when that is in vain: what they saw tells.
    ///
    /// # Errors
    /// One broke.
    pub(crate) async fn revoked(&self, count: usize) -> Result<()> {
        let denied = |progress: &Progress| progress.revoked.load(Ordering::Relaxed) >= count;
        match self.until("every worker to deny", denied).await {
            Err(Error::TimedOut { .. }) => Ok(()),
            other => other,
        }
    }

    async fn until(&self, what: &str, is_there: impl Fn(&Progress) -> bool) -> Result<()> {
        let all = || self.progress.iter().all(|progress| is_there(progress));
        wait::until(what, async || Ok(all().then_some(()))).await
    }

    /// Ends every connection after its request in flight.
    ///
    /// # Errors
    /// One broke.
    pub(crate) async fn end(mut self) -> Result<Seens> {
        self.stopped.store(true, Ordering::Release);
        let mut all = Vec::new();
        while let Some(ended) = self.clients.join_next().await {
            all.push(ended.map_err(unexpected)??);
        }
        Ok(Seens {
            workers: self.workers,
            connections: all.len(),
            allowed: all.iter().map(|seen| seen.allowed).sum(),
            revoked: all.iter().map(|seen| seen.revoked).sum(),
            cut: all.iter().map(|seen| seen.cut).sum(),
            turned: (0..self.workers).filter_map(|worker| turned(&all, worker)).max(),
            verdict: verdict(&all),
        })
    }
}

impl Seens {
    /// `200, then 401 revoked for good`, or what went otherwise.
    pub(crate) fn verdict(&self) -> &str {
        &self.verdict
    }
}

/// When this worker was first seen to deny.
fn turned(all: &[Seen], worker: usize) -> Option<Instant> {
    let of_worker = || all.iter().filter(|seen| seen.worker as usize == worker);
    let whole = of_worker().filter(|seen| seen.cut == 0).filter_map(|seen| seen.turned).min();
    whole.or_else(|| of_worker().filter_map(|seen| seen.turned).min())
}

fn verdict(all: &[Seen]) -> String {
    if let Some(other) = all.iter().find_map(|seen| seen.other.as_ref()) {
        return other.clone();
    }
    if all.iter().any(|seen| seen.relapsed) {
        return "200 after a denial".to_owned();
    }
    match all.iter().all(|seen| seen.allowed > 0 && seen.revoked > 0) {
        true => "200, then 401 revoked for good".to_owned(),
        false => "no denial at some workers".to_owned(),
    }
}

async fn client(
    mut worker: Worker,
    request: RawRequest,
    progress: Arc<Progress>,
    alone: Alone,
    stopped: Arc<AtomicBool>,
) -> Result<Seen> {
    let mut seen = Seen { worker: worker.number, ..Seen::default() };
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stopped.load(Ordering::Acquire) {
        ticks.tick().await;
        let Ok((status, code)) = worker.ask(&request).await else {
            seen.cut += 1;
            seen.turned.get_or_insert_with(Instant::now);
            let _alone = alone.lock().await;
            worker.reopen().await?;
            continue;
        };
        match (status, code.as_str()) {
            (200, _) => {
                seen.allowed += 1;
                seen.relapsed |= seen.turned.is_some();
                progress.allowed.store(seen.allowed, Ordering::Relaxed);
            }
            REVOKED => {
                seen.revoked += 1;
                seen.turned.get_or_insert_with(Instant::now);
                progress.revoked.store(seen.revoked, Ordering::Relaxed);
            }
            _ => _ = seen.other.get_or_insert_with(|| format!("{status} {code}")),
        }
    }
    Ok(seen)
}
