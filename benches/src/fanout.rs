//! One edit of the policy, many watchers: how long until all have acknowledged it, how many bytes, and what a stream
//! costs the server.
//!
//! The watchers are in this process, on the same machine: their own work is part of the time.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{
    Result,
    error::{IoContext, unexpected},
    http::h1,
    server::{Release, Server, Setup},
    wait,
};
use proto::v1::{
    Ack, Hello, Node, PROTOCOL, WatchRequest, WatchResponse, data_plane_client::DataPlaneClient,
    watch_request, watch_response,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

/// Streams on one connection; the server allows 256.
const STREAMS_PER_CONNECTION: usize = 250;
/// The policy's host and its rules: enough to be like a real one.
const RULES: usize = 100;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Watchers, as there would be one for each worker of each Envoy.
    pub streams: usize,
    /// Edits, one after another.
    pub edits: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Watchers.
    pub streams: usize,
    /// Bytes of the document that each edit sent to each watcher.
    pub document: u64,
    /// What the server's resident memory grew by for each stream, bytes.
    pub memory_per_stream: u64,
    /// The edits.
    pub edits: Vec<Edit>,
}

/// One edit.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// From the edit of the file until the server has heard from all.
    pub edited_to_acked: Duration,
    /// From the first watcher that had it until the server has heard from all; without what it takes to notice,
    /// read and compile.
    pub first_to_acked: Duration,
    /// Bytes of snapshots that were sent.
    pub bytes: u64,
}

/// What the watchers have done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    acked: usize,
    /// When the first acknowledgement of this round was on its way.
    first: Option<Instant>,
}

type Tally = Arc<watch::Sender<Progress>>;

/// Starts a server, has it watched, and edits its policy.
///
/// # Errors
/// The server does not start, or a watcher loses its stream.
pub async fn run(options: &Options) -> Result<Measured> {
    let directory = tempfile::tempdir().context(|| "make a directory".to_owned())?;
    let policies = directory.path().join("policies");
    fs::create_dir_all(&policies).context(|| "make the policy directory".to_owned())?;
    edit(&policies, 0)?;
    let setup = Setup {
        data: directory.path().join("data"),
        policies: policies.clone(),
        config: None,
        release: Release::Current,
    };
    let server = Server::start(&setup).await?;
    let before = resident(server.id())?;

    let tally = Tally::default();
    let mut watchers = watch_all(&server, options.streams, &tally).await?;
    let first = settled(&server, &tally, options.streams, &mut watchers).await?;
    let after = resident(server.id())?;

    let mut edits = Vec::new();
    let mut sent = first;
    for round in 1..=options.edits {
        tally.send_modify(|progress| progress.first = None);
        let begun = Instant::now();
        edit(&policies, round)?;
        let bytes = settled(&server, &tally, options.streams * (round + 1), &mut watchers).await?;
        let first_to_acked = tally.borrow().first.map(|first| first.elapsed()).unwrap_or_default();
        edits.push(Edit { edited_to_acked: begun.elapsed(), first_to_acked, bytes: bytes - sent });
        sent = bytes;
    }
    watchers.abort_all();
    server.stop().await?;
    let streams = options.streams as u64;
    Ok(Measured {
        streams: options.streams,
        document: first / streams.max(1),
        memory_per_stream: after.saturating_sub(before) / streams.max(1),
        edits,
    })
}

/// Opens all streams, as many on a connection as a server takes.
async fn watch_all(server: &Server, streams: usize, tally: &Tally) -> Result<JoinSet<Status>> {
    let socket = format!("unix://{}", server.listeners.data_plane.display());
    let endpoint = Endpoint::from_shared(socket).map_err(unexpected)?;
    let mut watchers = JoinSet::new();
    let mut channel = endpoint.connect().await.map_err(unexpected)?;
    for index in 0..streams {
        if index > 0 && index % STREAMS_PER_CONNECTION == 0 {
            channel = endpoint.connect().await.map_err(unexpected)?;
        }
        let (channel, tally) = (channel.clone(), Arc::clone(tally));
        watchers.spawn(async move {
            match follow(channel, index, &tally).await {
                Ok(()) => Status::unavailable("the server ended the stream"),
                Err(status) => status,
            }
        });
    }
    Ok(watchers)
}

/// One watcher: takes what comes, and says so.
async fn follow(channel: Channel, index: usize, tally: &Tally) -> std::result::Result<(), Status> {
    let (up, messages) = mpsc::channel(1);
    let say = |message| {
        let message = WatchRequest { message: Some(message) };
        let up = up.clone();
        async move { up.send(message).await.map_err(|_| Status::cancelled("the stream is closed")) }
    };
    let node = Some(Node { id: format!("envoy-{index}"), cluster: "bench".to_owned() });
    let hello = Hello { protocol: PROTOCOL, node, build: "bench".to_owned(), ..Hello::default() };
    say(watch_request::Message::Hello(hello)).await?;
    let mut down: Streaming<WatchResponse> =
        DataPlaneClient::new(channel).watch(ReceiverStream::new(messages)).await?.into_inner();
    while let Some(WatchResponse { message }) = down.message().await? {
        let Some(watch_response::Message::Snapshot(snapshot)) = message else { continue };
        if snapshot.chunk + 1 == snapshot.chunks {
            say(watch_request::Message::Ack(Ack { version: snapshot.version })).await?;
            tally.send_modify(|progress| {
                progress.acked += 1;
                progress.first.get_or_insert_with(Instant::now);
            });
        }
    }
    Ok(())
}

/// Waits until the server has heard `acks` in all; the bytes of snapshots that it sent so far.
async fn settled(server: &Server, tally: &Tally, acks: usize, watchers: &mut JoinSet<Status>) -> Result<u64> {
    let mut progress = tally.subscribe();
    tokio::select! {
        all = wait::within(wait::PATIENCE, "all watchers", progress.wait_for(|progress| progress.acked >= acks)) => {
            all?.map_err(unexpected)?;
        }
        Some(ended) = watchers.join_next() => {
            return Err(unexpected(format!("a watcher lost its stream: {ended:?}")));
        }
    }
    let address = server.listeners.admin;
    wait::until("the last acknowledgement", || async move {
        let metrics = String::from_utf8_lossy(&h1::get(address, "/metrics").await?.body).into_owned();
        let heard = value(&metrics, "writ_feed_acks_total{data_plane=\"socket\"}");
        let sent = value(&metrics, "writ_feed_snapshot_bytes_total");
        Ok(sent.filter(|_| heard.is_some_and(|heard| heard >= acks as u64)))
    })
    .await
}

fn value(metrics: &str, name: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Replaces the policy in one step.
fn edit(directory: &Path, round: usize) -> Result<()> {
    let rule = |index| {
        format!(
            "      - {{method: GET, path: \"/bucket-{index}/{{*key}}\", action: \"s3:GetObject\", \
             resource: \"s3://bucket-{index}/{{key}}\"}}\n"
        )
    };
    let rules: String = (0..RULES).map(rule).collect();
    let policy = format!(
        "namespace: bench\nroutes:\n  - hosts: [bench.internal]\n    audience: mesh\n    rules:\n{rules}      \
         - {{method: GET, path: /round-{round}, action: none}}\n"
    );
    let draft = directory.with_extension("draft");
    fs::write(&draft, policy)
        .and_then(|()| fs::rename(&draft, directory.join("bench.yaml")))
        .context(|| "edit the policy".to_owned())
}

/// Resident memory of a process, bytes (`VmRSS` of proc(5)).
fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.context(|| "read the server's memory".to_owned())?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| unexpected("the kernel does not say how much memory a process has"))
}
