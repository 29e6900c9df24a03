//! Requests without a pause while something else happens, and what became of each of them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    error::{IoContext, Result, unexpected},
    http::{RawRequest, h1},
    wait,
};

/// Requests in flight at any time: enough that every worker has some, few enough for two cores.
const CLIENTS: usize = 4;

/// How often each answer came: status and, of a denial, its code. Status 0 is a connection without an answer.
pub type Tally = BTreeMap<(u16, String), u64>;

/// Clients that send the same request over and over, each time over a new connection, until [`Load::stop`].
#[derive(Debug)]
pub struct Load {
    stopped: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    clients: JoinSet<Result<()>>,
}

impl Load {
    /// Begins to send `request` to `address`.
    pub fn start(address: SocketAddr, request: &RawRequest) -> Self {
        let (stopped, tally) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Tally>>::default());
        let mut clients = JoinSet::new();
        let bytes: Arc<[u8]> = h1::render(request).into();
        for _ in 0..CLIENTS {
            clients.spawn(client(address, Arc::clone(&bytes), Arc::clone(&stopped), Arc::clone(&tally)));
        }
        Self { stopped, tally, clients }
    }

    /// What came back so far.
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Returns when `count` more answers came, so that whatever was done before has been met by requests.
    ///
    /// # Errors
    /// They do not come.
    pub async fn answers(&self, count: u64) -> Result<()> {
        let all = || self.tally().values().sum::<u64>();
        let enough = all() + count;
        wait::until("answers under load", || std::future::ready(Ok((all() >= enough).then_some(())))).await
    }

    /// Ends the clients, each after its request in flight.
    ///
    /// # Errors
    /// A client failed otherwise than by an answer or the lack of one.
    pub async fn stop(mut self) -> Result<Tally> {
        self.stopped.store(true, Ordering::Release);
        while let Some(ended) = self.clients.join_next().await {
            ended.map_err(unexpected)??;
        }
        Ok(self.tally())
    }
}

async fn client(
    address: SocketAddr,
    bytes: Arc<[u8]>,
    stopped: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
) -> Result<()> {
    while !stopped.load(Ordering::Acquire) {
        let stream = TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
        let exchange = wait::within(wait::PATIENCE, "an answer under load", h1::exchange(stream, &bytes));
        let response = exchange.await??.unwrap_or_default();
        let code = response.json().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
        *lock(&tally).entry((response.status, code.unwrap_or_default())).or_default() += 1;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
