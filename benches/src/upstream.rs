//! An upstream that costs little: one fixed answer to every request, and a count of what it got.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use harness::{Result, error::IoContext};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";

/// A running upstream; it stops when dropped.
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    last: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// No free port.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context(|| "bind an upstream".to_owned())?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let last = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&last);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&heads)));
            }
        });
        Ok(Self { address, last, task })
    }

    /// The head of the request that came last, as it came.
    pub(crate) fn last_request(&self) -> String {
        String::from_utf8_lossy(&self.last.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Envoy sends one request at a time on a connection.
async fn serve(mut stream: TcpStream, last: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::with_capacity(16 * 1024);
    while stream.read_buf(&mut request).await? > 0 {
        if is_whole(&request) {
            stream.write_all(ANSWER).await?;
            std::mem::swap(&mut *last.lock().unwrap_or_else(PoisonError::into_inner), &mut request);
            request.clear();
        }
    }
    Ok(())
}

/// Whether the head has come, and the body that it promises.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let (head, body) = request.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
