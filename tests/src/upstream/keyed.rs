//! A service that takes its own API key and nothing else, and talks too much: it echoes the key in its answers.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    error::{IoContext, Result},
    http::wire::Wire,
};

/// A running service; it stops when dropped.
#[derive(Debug)]
pub struct Keyed {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    accepted: BTreeSet<String>,
    seen: Vec<String>,
}

impl Keyed {
    /// Starts one on a free port that takes these keys as bearer secrets.
    ///
    /// # Errors
    /// No free port.
    pub async fn start(keys: &[&str]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context(|| "bind an upstream".to_owned())?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let service = Self { address, task: tokio::spawn(accept(listener, Arc::clone(&shared))), shared };
        service.accept(keys);
        Ok(service)
    }

    /// Takes these keys from now on, and no others.
    pub fn accept(&self, keys: &[&str]) {
        self.lock().accepted = keys.iter().map(|&key| key.to_owned()).collect();
    }

    /// The heads of the requests that came since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().seen)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

/// Serves one connection until it ends.
async fn serve(stream: TcpStream, shared: Arc<Mutex<Shared>>) -> Result<()> {
    let mut wire = Wire::new(stream);
    while let Some(head) = wire.head().await? {
        let head = String::from_utf8_lossy(&head).into_owned();
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        let keys: Vec<&str> = fields
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or_default())
            .collect();
        let is_accepted = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.seen.push(head.clone());
            matches!(keys.as_slice(), [key] if shared.accepted.contains(*key))
        };
        let (status, said) =
            if is_accepted { ("200 OK", "welcome") } else { ("401 Unauthorized", "who are you") };
        let key = keys.join(", ");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-your-key: Bearer {key}\r\nset-cookie: a=1\r\n\
             set-cookie: key={key}; path=/\r\n\r\n{said}",
            said.len()
        );
        wire.stream().write_all(answer.as_bytes()).await.context(|| "answer".to_owned())?;
    }
    Ok(())
}
