//! A watcher of the feed, as the filter is one.

use proto::v1::{
    Ack, GoAway, Heartbeat, Hello, Nack, Node, PROTOCOL, Report, Snapshot, Version, WatchRequest,
    data_plane_client::DataPlaneClient, watch_request, watch_response::Message,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

use super::{Writ, http::get, writ::PATIENCE};

/// One stream.
pub(crate) struct Watch {
    up: mpsc::Sender<WatchRequest>,
    down: Streaming<proto::v1::WatchResponse>,
}

/// A whole snapshot.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) version: Version,
    pub(crate) chunks: u32,
    pub(crate) as_of_ms: u64,
    pub(crate) digest: Vec<u8>,
    pub(crate) document: Value,
}

impl Received {
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let names = self.document["hosts"].as_array().unwrap().iter();
        names.map(|host| host["names"][0].as_str().unwrap()).collect()
    }
}

pub(crate) fn hello(version: Option<Version>) -> watch_request::Message {
    watch_request::Message::Hello(Hello {
        protocol: PROTOCOL,
        build: "test-1".to_owned(),
        features: Vec::new(),
        node: Some(Node { id: "envoy-1".to_owned(), cluster: "edge".to_owned() }),
        version,
        digest: Vec::new(),
    })
}

/// Of who holds what was received, under this version.
pub(crate) fn hello_holding(snapshot: &Received, version: Version) -> watch_request::Message {
    let watch_request::Message::Hello(hello) = hello(Some(version)) else { unreachable!() };
    watch_request::Message::Hello(Hello { digest: snapshot.digest.clone(), ..hello })
}

pub(crate) fn report(report: Report) -> watch_request::Message {
    watch_request::Message::Report(report)
}

impl Watch {
    /// Opens a stream with this `authorization`, unless it is empty.
    pub(crate) async fn open(channel: Channel, authorization: &[&str]) -> Result<Self, Status> {
        let (up, messages) = mpsc::channel(1);
        let mut request = tonic::Request::new(ReceiverStream::new(messages));
        for value in authorization {
            request.metadata_mut().append("authorization", value.parse().unwrap());
        }
        let mut client = DataPlaneClient::new(channel).max_decoding_message_size(1024 * 1024);
        let opened = timeout(PATIENCE, client.watch(request)).await.expect("no response");
        Ok(Self { up, down: opened?.into_inner() })
    }

    /// Sends a message, if the stream still takes one.
    pub(crate) async fn send(&self, message: watch_request::Message) {
        let _ = timeout(PATIENCE, self.up.send(WatchRequest { message: Some(message) })).await;
    }

    pub(crate) async fn ack(&self, version: Version) {
        self.send(watch_request::Message::Ack(Ack { version: Some(version) })).await;
    }

    pub(crate) async fn nack(&self, version: Version, reason: &str) {
        let nack = Nack { version: Some(version), reason: reason.to_owned() };
        self.send(watch_request::Message::Nack(nack)).await;
    }

    /// The next message, or how the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Status> {
        let message = timeout(PATIENCE, self.down.message()).await.expect("nothing comes")?;
        Ok(message.map(|message| message.message.unwrap()))
    }

    pub(crate) async fn heartbeat(&mut self) -> Heartbeat {
        match self.next().await {
            Ok(Some(Message::Heartbeat(heartbeat))) => heartbeat,
            other => panic!("no heartbeat: {other:?}"),
        }
    }

    pub(crate) async fn go_away(&mut self) -> GoAway {
        loop {
            match self.next().await.unwrap() {
                Some(Message::GoAway(go_away)) => return go_away,
                Some(_) => {}
                None => panic!("ended without a GoAway"),
            }
        }
    }

    /// The next snapshot, whole; heartbeats before it do not count.
    pub(crate) async fn snapshot(&mut self) -> Received {
        let mut text = Vec::new();
        loop {
            let Snapshot { version, requires: _, as_of_ms, chunk, chunks, part, digest, revoked: _ } =
                match self.next().await {
                    Ok(Some(Message::Snapshot(snapshot))) => snapshot,
                    Ok(Some(Message::Heartbeat(_))) if text.is_empty() => continue,
                    other => panic!("no snapshot: {other:?}"),
                };
            assert!(part.len() <= proto::v1::CHUNK);
            text.extend(part);
            if chunk + 1 == chunks {
                let document = serde_json::from_slice(&text).unwrap();
                assert_eq!(digest, Sha256::digest(&text).to_vec());
                return Received { version: version.unwrap(), chunks, as_of_ms, digest, document };
            }
        }
    }

    /// How the server ended the stream.
    pub(crate) async fn ended(&mut self) -> Result<(), Status> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

impl Writ {
    /// Opens a stream over the Unix socket.
    pub(crate) async fn watch(&self) -> Watch {
        Watch::open(self.socket_channel().await, &[]).await.unwrap()
    }

    /// Opens a stream where little may be sent before it is read.
    pub(crate) async fn watch_slowly(&self) -> Watch {
        let endpoint = Endpoint::from_shared(format!("unix://{}", self.socket.display())).unwrap();
        let narrow = endpoint.initial_stream_window_size(Some(65_535)).connect().await.unwrap();
        Watch::open(narrow, &[]).await.unwrap()
    }

    /// Says Hello where little may be sent before it is read.
    pub(crate) async fn watch_narrowly(&self) -> Watch {
        let watch = self.watch_slowly().await;
        watch.send(hello(None)).await;
        watch
    }

    /// Opens a stream and says Hello: what follows is a first snapshot.
    pub(crate) async fn watch_anew(&self) -> (Watch, Received) {
        let mut watch = self.watch().await;
        watch.send(hello(None)).await;
        let snapshot = watch.snapshot().await;
        (watch, snapshot)
    }

    /// Waits until `/dataplanes` is as `wanted`.
    pub(crate) async fn data_planes(&self, wanted: impl Fn(&Vec<Value>) -> bool) -> Vec<Value> {
        let asking = async {
            loop {
                let planes = self.data_planes_now().await;
                if wanted(&planes) {
                    return planes;
                }
                tokio::task::yield_now().await;
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(planes) => planes,
            Err(_) => panic!("still {:?}", self.data_planes_now().await),
        }
    }

    async fn data_planes_now(&self) -> Vec<Value> {
        get(self.admin, "/dataplanes").await.json()["data_planes"].as_array().unwrap().clone()
    }
}
