//! What Envoy protects: services that know nothing of Writ and do what they are told.

pub(crate) mod database;
pub(crate) mod flights;
pub(crate) mod logs;
pub(crate) mod warehouse;

use std::net::SocketAddr;

use axum::Router;
use harness::{Result, error::IoContext};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running service; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Service {
    /// Serves `router` on a free port.
    ///
    /// # Errors
    /// No free port.
    pub(crate) async fn start(router: Router) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context(|| "bind a service".to_owned())?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let task = tokio::spawn(async move {
            // It ends only by being aborted; a failed accept is retried within.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}
