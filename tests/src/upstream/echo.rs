//! An upstream that records what reaches it, byte for byte, and answers with it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    error::{IoContext, Result, unexpected},
    http::{
        Field, h1,
        wire::{Wire, value},
    },
};

/// One request as the upstream got it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Method.
    pub method: String,
    /// Request target.
    pub target: Vec<u8>,
    /// Fields in order, names lowercase.
    pub headers: Vec<Field>,
    /// Body, unframed.
    pub body: Vec<u8>,
}

impl Seen {
    /// Every value of the field `name` (lowercase), as text.
    pub fn values(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(field, _)| field == name.as_bytes());
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

/// A running echo upstream; it stops when dropped.
#[derive(Debug)]
pub struct Echo {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Echo {
    /// Starts one on a free port. Its answers name it, to tell clusters apart.
    ///
    /// # Errors
    /// No free port.
    pub async fn start(name: &'static str) -> Result<Self> {
        Self::spawn(Manner { name, upgrades: true, status: "200 OK" }).await
    }

    /// As [`start`](Self::start), but it answers 503 to whatever it gets.
    ///
    /// # Errors
    /// No free port.
    pub async fn overloaded(name: &'static str) -> Result<Self> {
        Self::spawn(Manner { name, upgrades: false, status: "503 Service Unavailable" }).await
    }

    /// As [`start`](Self::start), but it answers a handshake like any other request and reads on.
    ///
    /// # Errors
    /// No free port.
    pub async fn ignoring_upgrades(name: &'static str) -> Result<Self> {
        Self::spawn(Manner { name, upgrades: false, status: "200 OK" }).await
    }

    async fn spawn(manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context(|| "bind an upstream".to_owned())?;
        let address = listener.local_addr().context(|| "read a port".to_owned())?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, manner, Arc::clone(&seen)));
        Ok(Self { address, seen, task })
    }

    /// Takes everything that was recorded since the last call.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How it answers.
#[derive(Debug, Clone, Copy)]
struct Manner {
    name: &'static str,
    upgrades: bool,
    /// With its words.
    status: &'static str,
}

async fn accept(listener: TcpListener, manner: Manner, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, manner, Arc::clone(&seen)));
    }
}

/// Serves one connection until it ends; a request that cannot be read is recorded too, by its bytes.
async fn serve(stream: TcpStream, manner: Manner, seen: Arc<Mutex<Vec<Seen>>>) -> Result<()> {
    let mut wire = Wire::new(stream);
    while let Some(head) = wire.head().await? {
        let mut request = parse(&head).unwrap_or_else(|_| Seen { target: head, ..Seen::default() });
        let upgrade = manner.upgrades && value(&request.headers, b"upgrade").is_some();
        // Recorded before the body is read: a request has reached the upstream with its first byte.
        let index = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(request.clone());
            seen.len()
        };
        request.body = wire.body(&request.headers, false).await?;
        if let Some(entry) =
            seen.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index.wrapping_sub(1))
        {
            entry.body.clone_from(&request.body);
        }
        let answer = if upgrade { switching(&request) } else { answer(manner, &request) };
        wire.stream().write_all(&answer).await.context(|| "answer".to_owned())?;
        if upgrade || !h1::keeps_alive(&request.headers) {
            return Ok(());
        }
    }
    Ok(())
}

fn answer(Manner { name, status, .. }: Manner, request: &Seen) -> Vec<u8> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| json!([text(name), text(value)])).collect();
    let body = json!({
        "upstream": name,
        "method": request.method,
        "target": text(&request.target),
        "headers": headers,
        "body_bytes": request.body.len(),
    })
    .to_string();
    let body = if request.method == "HEAD" { String::new() } else { body };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

fn switching(request: &Seen) -> Vec<u8> {
    let protocol = request.values("upgrade").join(", ");
    format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\n")
        .into_bytes()
}

fn parse(head: &[u8]) -> Result<Seen> {
    let mut slots = vec![httparse::EMPTY_HEADER; 200];
    let mut request = httparse::Request::new(&mut slots);
    request.parse(head).map_err(unexpected)?;
    let headers = request
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase().into_bytes(), header.value.to_vec()));
    Ok(Seen {
        headers: headers.collect(),
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().as_bytes().to_vec(),
        body: Vec::new(),
    })
}
