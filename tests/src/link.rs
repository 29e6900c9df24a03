//! A way to a Unix socket that can be cut, as a network between a server and its store can.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::error::{IoContext, Result};

/// How the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Everything passes.
    Open,
    /// Connections end, and new ones end at once.
    Closed,
    /// Nothing passes and nothing ends, as behind a firewall that drops what it gets.
    Silent,
}

/// A running link; it ends when dropped.
#[derive(Debug)]
pub struct Link {
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Link {
    /// Listens at `path` and passes on to the socket at `target`.
    ///
    /// # Errors
    /// The path is taken.
    pub fn start(path: &Path, target: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path).context(|| format!("bind `{}`", path.display()))?;
        let (way, changes) = watch::channel(Way::Open);
        Ok(Self { way, task: tokio::spawn(accept(listener, target.to_owned(), changes)) })
    }

    /// Changes how it is.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, target: PathBuf, way: watch::Receiver<Way>) {
    let target: Arc<Path> = target.into();
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(pass(stream, Arc::clone(&target), way.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection. Bytes may be lost on the way when it is cut, so it never goes on afterwards.
async fn pass(mut client: UnixStream, target: Arc<Path>, mut way: watch::Receiver<Way>) {
    if *way.borrow_and_update() != Way::Open {
        let _ = way.wait_for(|way| *way != Way::Silent).await;
        if *way.borrow_and_update() != Way::Open {
            return;
        }
    }
    let Ok(mut server) = UnixStream::connect(&target).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = way.changed() => {
            let _ = way.wait_for(|way| *way != Way::Silent).await;
        }
    }
}
