//! A bounded load over loopback: some connections, each with one request at a time (HTTP/1.1, kept alive).

use std::{
    cell::RefCell,
    net::SocketAddr,
    time::{Duration, Instant},
};

use harness::{
    Result,
    error::{IoContext, unexpected},
    wait,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Requests in flight. More than one, so that Envoy is never idle.
pub(crate) const CONNECTIONS: usize = 8;
/// However slow the machine is.
const LIMIT: Duration = Duration::from_secs(120);

/// Connections to one listener.
pub(crate) struct Load {
    connections: Vec<TcpStream>,
}

impl Load {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
            stream.set_nodelay(true).context(|| "set TCP_NODELAY".to_owned())?;
            connections.push(stream);
        }
        Ok(Self { connections })
    }

    /// Sends every one of `requests`, and says how long that took until the last answer.
    ///
    /// # Errors
    /// An answer other than 200, a closed connection, or no end in two minutes.
    pub(crate) async fn run(&mut self, requests: impl Iterator<Item = &[u8]>) -> Result<Duration> {
        let requests = RefCell::new(requests);
        let started = Instant::now();
        let workers = self.connections.iter_mut().map(async |connection| {
            let mut answer = Vec::with_capacity(4096);
            loop {
                let Some(request) = requests.borrow_mut().next() else { return Ok(()) };
                exchange(connection, request, &mut answer).await?;
            }
        });
        wait::within(LIMIT, "the answers of a round", join(workers)).await??;
        Ok(started.elapsed())
    }
}

/// All of `works` on this task, so that they may share what is not for other threads.
async fn join(works: impl Iterator<Item = impl Future<Output = Result<()>>>) -> Result<()> {
    let mut works: Vec<_> = works.map(Box::pin).collect();
    std::future::poll_fn(move |context| {
        let mut failed = None;
        works.retain_mut(|work| match work.as_mut().poll(context) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(Ok(())) => false,
            std::task::Poll::Ready(Err(error)) => {
                failed = Some(error);
                false
            }
        });
        match failed {
            Some(error) => std::task::Poll::Ready(Err(error)),
            None if works.is_empty() => std::task::Poll::Ready(Ok(())),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

async fn exchange(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request).await.context(|| "send a request".to_owned())?;
    answer.clear();
    loop {
        let read = stream.read_buf(answer).await.context(|| "read an answer".to_owned())?;
        if read == 0 {
            return Err(unexpected(format!("closed after `{}`", String::from_utf8_lossy(answer))));
        }
        if is_whole(answer) {
            break;
        }
    }
    if answer.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(unexpected(format!("not the expected answer: {}", String::from_utf8_lossy(answer))))
    }
}

/// Head and as much body as it promises.
fn is_whole(answer: &[u8]) -> bool {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let digits = answer.windows(LENGTH.len()).position(|window| window == LENGTH);
    let digits = digits.and_then(|at| answer.get(at + LENGTH.len()..head)).unwrap_or_default();
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length: usize, digit| length.saturating_mul(10) + usize::from(digit - b'0'));
    answer.len() >= head + 4 + length
}
