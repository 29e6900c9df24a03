//! A feed that plays what it is told, for what a real server never does.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use proto::v1::{
    self, Hello, LeaseRequest, LeaseResponse, UseRequest, UseResponse, WatchRequest, WatchResponse,
    data_plane_server::{DataPlane, DataPlaneServer},
    watch_request, watch_response,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::{Stream, StreamExt, wrappers::UnboundedReceiverStream};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap, transport::server::TcpIncoming};

use crate::error::{IoContext, Result};

/// A message, or the end of the stream.
pub type Step = std::result::Result<WatchResponse, Status>;
/// What answers a Hello.
pub type Script = Box<dyn Fn(&Hello) -> Vec<Step> + Send + Sync>;

type Sender = mpsc::UnboundedSender<Step>;

/// A running feed.
#[derive(Debug)]
pub struct Feed {
    /// Where it listens, without TLS.
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    server: JoinHandle<()>,
}

/// A message from a filter, and the number of the stream that it came on.
pub type Heard = (u64, WatchRequest);

#[derive(Default)]
struct Shared {
    script: Option<Script>,
    opened: u64,
    open: BTreeMap<u64, Sender>,
    metadata: Vec<MetadataMap>,
    heard: Vec<Heard>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

impl Feed {
    /// Starts one on a free port. `script` answers each Hello.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(script: impl Fn(&Hello) -> Vec<Step> + Send + Sync + 'static) -> Result<Self> {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    /// Starts one where another has been.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_on(
        address: SocketAddr,
        script: impl Fn(&Hello) -> Vec<Step> + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address).await.context(|| format!("bind {address}"))?;
        let address = listener.local_addr().context(|| "a listener's address".to_owned())?;
        let shared = Arc::new(Mutex::new(Shared { script: Some(Box::new(script)), ..Shared::default() }));
        let service = DataPlaneServer::new(Service(Arc::clone(&shared)));
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
        let server = tokio::spawn(async move {
            let _ = serving.await;
        });
        Ok(Self { address, shared, server })
    }

    /// Answers each Hello otherwise from now on.
    pub fn set_script(&self, script: impl Fn(&Hello) -> Vec<Step> + Send + Sync + 'static) {
        lock(&self.shared).script = Some(Box::new(script));
    }

    /// Takes a step on every open stream.
    pub fn play(&self, step: &Step) {
        for stream in lock(&self.shared).open.values() {
            let _ = stream.send(step.clone());
        }
    }

    /// Streams that are open now.
    pub fn open(&self) -> usize {
        lock(&self.shared).open.len()
    }

    /// Streams opened so far.
    pub fn opened(&self) -> u64 {
        lock(&self.shared).opened
    }

    /// Everything that filters have said so far.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.shared).heard.clone()
    }

    /// Header fields of the streams so far.
    pub fn metadata(&self) -> Vec<MetadataMap> {
        lock(&self.shared).metadata.clone()
    }

    /// The reasons of all Nacks so far.
    pub fn nacks(&self) -> Vec<String> {
        let nacks = self.heard().into_iter().filter_map(|(_, request)| match request.message {
            Some(watch_request::Message::Nack(nack)) => Some(nack.reason),
            _ => None,
        });
        nacks.collect()
    }

    /// How often this version was acknowledged so far.
    pub fn acks(&self, version: v1::Version) -> usize {
        let ack = watch_request::Message::Ack(v1::Ack { version: Some(version) });
        self.heard().iter().filter(|(_, request)| request.message.as_ref() == Some(&ack)).count()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        lock(&self.shared).open.clear();
        self.server.abort();
    }
}

#[derive(Debug)]
struct Service(Arc<Mutex<Shared>>);

#[tonic::async_trait]
impl DataPlane for Service {
    type WatchStream = Pin<Box<dyn Stream<Item = std::result::Result<WatchResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> std::result::Result<Response<Self::WatchStream>, Status> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.0);
        let id = {
            let mut shared = lock(&shared);
            shared.opened += 1;
            let id = shared.opened;
            shared.open.insert(id, sender);
            shared.metadata.push(request.metadata().clone());
            id
        };
        tokio::spawn(listen(shared, id, request.into_inner()));
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver))))
    }

    async fn r#use(&self, _: Request<UseRequest>) -> std::result::Result<Response<UseResponse>, Status> {
        Err(Status::unimplemented("this server counts nothing"))
    }

    async fn lease(&self, _: Request<LeaseRequest>) -> std::result::Result<Response<LeaseResponse>, Status> {
        Err(Status::unavailable("this feed has no credentials"))
    }
}

async fn listen(shared: Arc<Mutex<Shared>>, id: u64, mut requests: Streaming<WatchRequest>) {
    while let Some(Ok(request)) = requests.next().await {
        let mut shared = lock(&shared);
        if let (Some(watch_request::Message::Hello(hello)), Some(script), Some(stream)) =
            (&request.message, &shared.script, shared.open.get(&id))
        {
            for step in script(hello) {
                let _ = stream.send(step);
            }
        }
        shared.heard.push((id, request));
    }
    lock(&shared).open.remove(&id);
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A snapshot in pieces of at most `size` bytes.
pub fn snapshot(version: v1::Version, as_of_ms: u64, document: &[u8], size: usize) -> Vec<Step> {
    let parts: Vec<&[u8]> = document.chunks(size.max(1)).collect();
    let chunks = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let piece = |(chunk, part): (u32, &[u8])| v1::Snapshot {
        version: Some(version),
        requires: Vec::new(),
        as_of_ms,
        chunk,
        chunks,
        part: part.to_vec(),
        digest: Vec::new(),
        revoked: Vec::new(),
    };
    let messages = (0..).zip(parts).map(piece).map(watch_response::Message::Snapshot);
    messages.map(|message| Ok(WatchResponse { message: Some(message) })).collect()
}

/// A heartbeat.
pub fn heartbeat(version: v1::Version, as_of_ms: u64, interval_ms: u32) -> Step {
    let heartbeat = v1::Heartbeat { as_of_ms, version: Some(version), interval_ms, digest: Vec::new() };
    Ok(WatchResponse { message: Some(watch_response::Message::Heartbeat(heartbeat)) })
}

/// What was revoked and lifted between two versions: records and hashes, one behind the other.
pub fn delta(
    previous: v1::Version,
    version: v1::Version,
    as_of_ms: u64,
    revoked: Vec<u8>,
    lifted: Vec<u8>,
) -> Step {
    let delta = v1::Delta {
        version: Some(version),
        previous: Some(previous),
        digest: Vec::new(),
        requires: Vec::new(),
        as_of_ms,
        revoked,
        lifted,
    };
    Ok(WatchResponse { message: Some(watch_response::Message::Delta(delta)) })
}

/// The same steps, of a document with this digest.
pub fn with_digest(mut steps: Vec<Step>, digest: &[u8]) -> Vec<Step> {
    for message in steps.iter_mut().flatten().filter_map(|response| response.message.as_mut()) {
        match message {
            watch_response::Message::Snapshot(piece) => piece.digest = digest.to_vec(),
            watch_response::Message::Heartbeat(heartbeat) => heartbeat.digest = digest.to_vec(),
            watch_response::Message::Delta(delta) => delta.digest = digest.to_vec(),
            watch_response::Message::GoAway(_) => {}
        }
    }
    steps
}
