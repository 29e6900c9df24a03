//! An upstream whose answers do not end: event streams, switched protocols, and answers that do not even begin.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::JoinHandle,
};

use crate::{
    error::{IoContext, Result},
    http::wire::Wire,
};

/// What every answer begins with.
pub const FIRST: &str = "data: first\n\n";

/// A running upstream; it stops when dropped.
#[derive(Debug)]
pub struct Endless {
    /// Where it listens.
    pub address: SocketAddr,
    open: Arc<AtomicUsize>,
    news: broadcast::Sender<String>,
    task: JoinHandle<()>,
}

impl Endless {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// No free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context(|| "bind an upstream".to_owned())?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let (open, (news, _)) = (Arc::new(AtomicUsize::new(0)), broadcast::channel(16));
        let task = tokio::spawn(accept(listener, Arc::clone(&open), news.clone()));
        Ok(Self { address, open, news, task })
    }

    /// Requests that are being answered.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Sends an event to everybody who is being answered.
    pub fn tell(&self, event: &str) {
        // An error means that nobody is.
        let _ = self.news.send(format!("data: {event}\n\n"));
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, open: Arc<AtomicUsize>, news: broadcast::Sender<String>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (open, news) = (Arc::clone(&open), news.subscribe());
        tokio::spawn(async move {
            let mut wire = Wire::new(stream);
            if let Ok(Some(head)) = wire.head().await {
                open.fetch_add(1, Ordering::SeqCst);
                // However it ends, it has ended.
                let _ = serve(wire.stream(), &head, news).await;
                open.fetch_sub(1, Ordering::SeqCst);
            }
        });
    }
}

/// Answers until the other side has gone.
async fn serve(
    stream: &mut TcpStream,
    head: &[u8],
    mut news: broadcast::Receiver<String>,
) -> std::io::Result<()> {
    let request = String::from_utf8_lossy(head).to_lowercase();
    let target = request.split(' ').nth(1).unwrap_or_default();
    let silent = target.ends_with("/silent");
    let switched = request.contains("\nupgrade:");
    if switched {
        let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(answer.as_bytes()).await?;
    } else if !silent {
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(answer.as_bytes()).await?;
    }
    let frame =
        |event: &str| if switched { event.to_owned() } else { format!("{:x}\r\n{event}\r\n", event.len()) };
    if !silent {
        stream.write_all(frame(FIRST).as_bytes()).await?;
    }
    let mut rest = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut rest) => if read? == 0 { return Ok(()) },
            event = news.recv() => match event {
                Ok(event) if !silent => stream.write_all(frame(&event).as_bytes()).await?,
                Ok(_) => {}
                Err(_) => return Ok(()),
            },
        }
    }
}
