//! Watchers that take deltas and say so, as filters do, without Envoys around them.

use std::sync::Arc;

use harness::{Result, error::unexpected, server::Server, wait};
use proto::v1::{
    Ack, Hello, Node, PROTOCOL, Version, WatchRequest, data_plane_client::DataPlaneClient, watch_request,
    watch_response::Message,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

/// Streams on one connection; the server allows 256.
const PER_CONNECTION: usize = 250;

/// Open streams.
pub(super) struct Streams {
    tasks: JoinSet<Status>,
    held: Vec<watch::Receiver<u64>>,
}

impl Streams {
    /// Opens so many and waits until each holds a snapshot.
    pub(super) async fn open(server: &Server, count: usize) -> Result<Self> {
        let socket = format!("unix://{}", server.listeners.data_plane.display());
        let endpoint = Endpoint::from_shared(socket).map_err(unexpected)?;
        let mut channel = endpoint.connect().await.map_err(unexpected)?;
        let (mut tasks, mut held) = (JoinSet::new(), Vec::new());
        for index in 0..count {
            if index > 0 && index % PER_CONNECTION == 0 {
                channel = endpoint.connect().await.map_err(unexpected)?;
            }
            let (holds, receiver) = watch::channel(u64::MAX);
            held.push(receiver);
            let channel = channel.clone();
            tasks.spawn(async move {
                match follow(channel, index, &holds).await {
                    Ok(()) => Status::unavailable("the server ended the stream"),
                    Err(status) => status,
                }
            });
        }
        let mut streams = Self { tasks, held };
        streams.all(|held| held != u64::MAX).await?;
        Ok(streams)
    }

    /// Waits until all hold this revocation; when the last of them did.
    pub(super) async fn hold(&mut self, revocation: u64) -> Result<Instant> {
        self.all(|held| held != u64::MAX && held >= revocation).await?;
        Ok(Instant::now())
    }

    async fn all(&mut self, wanted: impl Fn(u64) -> bool) -> Result<()> {
        for stream in &mut self.held {
            tokio::select! {
                held = wait::within(wait::PATIENCE, "all watchers", stream.wait_for(|held| wanted(*held))) => {
                    held?.map_err(unexpected)?;
                }
                Some(ended) = self.tasks.join_next() => {
                    return Err(unexpected(format!("a watcher lost its stream: {ended:?}")));
                }
            }
        }
        Ok(())
    }
}

/// Takes what comes, and says so.
async fn follow(
    channel: Channel,
    index: usize,
    holds: &watch::Sender<u64>,
) -> std::result::Result<(), Status> {
    let (up, messages) = mpsc::channel(4);
    let up = Arc::new(up);
    let say = |message| {
        let (message, up) = (WatchRequest { message: Some(message) }, Arc::clone(&up));
        async move { up.send(message).await.map_err(|_| Status::cancelled("the stream is closed")) }
    };
    let hello = Hello {
        protocol: PROTOCOL,
        features: vec!["revocations".to_owned()],
        node: Some(Node { id: format!("envoy-{index}"), cluster: "bench".to_owned() }),
        build: "bench".to_owned(),
        ..Hello::default()
    };
    say(watch_request::Message::Hello(hello)).await?;
    let mut down = DataPlaneClient::new(channel).watch(ReceiverStream::new(messages)).await?.into_inner();
    let mut version = Version::default();
    while let Some(response) = down.message().await? {
        version = match response.message {
            Some(Message::Snapshot(piece)) if piece.chunk + 1 == piece.chunks => {
                piece.version.unwrap_or_default()
            }
            Some(Message::Delta(delta)) => {
                if delta.previous != Some(version) {
                    return Err(Status::data_loss("a gap"));
                }
                delta.version.unwrap_or_default()
            }
            _ => continue,
        };
        say(watch_request::Message::Ack(Ack { version: Some(version) })).await?;
        holds.send_replace(version.revocation);
    }
    Ok(())
}
