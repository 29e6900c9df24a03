//! Streams of a server whose state and store are in the test's hands.

mod deltas;
mod encoding;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt as _;
use policy::{EXAMPLE, Namespaces, Policy};
use prost::Message as _;
use proto::v1::{Ack, Hello, PROTOCOL, WatchRequest, WatchResponse, watch_request, watch_response::Message};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Status, body::Body, codegen::Service as _};
use verdict::document::{FORMAT, HostDocument, Mode, SnapshotDocument, Version};

use super::*;
use crate::{
    audit::Recorder,
    clients::{Clients, GeneratedSecrets},
    clock::{Moment, UnixMillis},
    config::Limits,
    identity::Identity,
    listen::Trigger,
    scope::Scope,
    state::{Current, State},
};

/// One stream.
struct Watch {
    up: mpsc::Sender<Vec<u8>>,
    down: Body,
    pending: Vec<u8>,
}

impl Watch {
    /// Says Hello, holding this generation.
    async fn open(server: &FeedServer, held: Option<u64>) -> Self {
        Self::open_with(server, held, Vec::new()).await
    }

    /// Says Hello, holding this generation with this digest.
    async fn open_with(server: &FeedServer, held: Option<u64>, digest: Vec<u8>) -> Self {
        let version = held.map(|generation| to_wire(version(generation)));
        Self::say(server, Hello { protocol: PROTOCOL, version, digest, ..Hello::default() }).await
    }

    async fn say(server: &FeedServer, hello: Hello) -> Self {
        let (up, messages) = mpsc::channel(1);
        up.send(framed(watch_request::Message::Hello(hello))).await.unwrap();
        let body = axum::body::Body::from_stream(ReceiverStream::new(messages).map(Ok::<_, Status>));
        let request = Request::post(WATCH).body(Body::new(body)).unwrap();
        let response = server.clone().call(request).await.unwrap();
        Self { up, down: response.into_body(), pending: Vec::new() }
    }

    async fn ack(&self, version: proto::v1::Version) {
        self.up.send(framed(watch_request::Message::Ack(Ack { version: Some(version) }))).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        loop {
            if let Some((prefix, rest)) = self.pending.split_first_chunk::<5>() {
                let length = u32::from_be_bytes(prefix[1..].try_into().unwrap()) as usize;
                if let Some(message) = rest.get(..length) {
                    let message = WatchResponse::decode(message).unwrap();
                    self.pending.drain(..5 + length);
                    return message.message.unwrap();
                }
            }
            let frame = self.down.frame().await.unwrap().unwrap();
            self.pending.extend(frame.into_data().unwrap());
        }
    }

    /// The next message's generation and `as_of`; the latter is 0 for a GoAway, which has neither.
    async fn hear(&mut self) -> (&'static str, u64, u64) {
        match self.next().await {
            Message::Snapshot(snapshot) => {
                ("snapshot", snapshot.version.unwrap().generation, snapshot.as_of_ms)
            }
            Message::Heartbeat(beat) => ("heartbeat", beat.version.unwrap().generation, beat.as_of_ms),
            Message::GoAway(_) => ("go away", 0, 0),
            Message::Delta(delta) => ("delta", delta.version.unwrap().generation, delta.as_of_ms),
        }
    }
}

fn framed(message: watch_request::Message) -> Vec<u8> {
    let message = WatchRequest { message: Some(message) }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &message].concat()
}

fn version(generation: u64) -> Version {
    Version { epoch: 1, generation, revocation: 0 }
}

pub(crate) fn state(generation: u64) -> State {
    state_of(generation, 0)
}

fn state_of(generation: u64, min_iat: u64) -> State {
    let policy = Policy::from_sources(EXAMPLE, &Namespaces::open()).unwrap();
    // Stale after a second, so that a heart beats ten times in it.
    let host = HostDocument {
        names: vec!["a.internal".into()],
        audience: "mesh".into(),
        mode: Mode::Enforce,
        allow: Vec::new(),
        max_staleness: 1,
        credential: None,
        rules: Vec::new(),
    };
    let document = SnapshotDocument {
        format: FORMAT,
        requires: Vec::new(),
        version: version(generation),
        issued_at: 0,
        not_after: None,
        issuer: "https://writ.test".into(),
        leeway: 0,
        hash_key: "AAAAAAAAAAAAAAAAAAAAAA".into(),
        min_iat,
        keys: Vec::new(),
        revocations: Vec::new(),
        hosts: vec![host],
    };
    State::new(Clients::new(&policy, &GeneratedSecrets::default()), policy, document).unwrap()
}

/// A feed of `current`; it ends with the trigger.
fn serve(current: &Current, refresh: Refresh) -> (FeedServer, Follower, Trigger) {
    let (publications, follower) = Publications::new(current.clone(), &[]).unwrap();
    let (feed, trigger) = feed(publications, refresh);
    (FeedServer::new(feed, Identity::socket(false)), follower, trigger)
}

fn feed(publications: Arc<Publications>, refresh: Refresh) -> (Arc<Feed>, Trigger) {
    let (trigger, shutdown) = Trigger::new();
    let (registry, limits, recorder) = (Registry::default(), Limits::default(), Recorder::default());
    (Arc::new(Feed { publications, registry, refresh, shutdown, limits, recorder }), trigger)
}

#[test]
fn the_path_is_that_of_the_service() {
    assert_eq!(WATCH, format!("/{SERVICE}/Watch"));
}

/// Hearts beat on, and say how old what they stand for is.
#[tokio::test]
async fn a_replica_that_is_cut_off_keeps_nobody_fresh() {
    let current = Current::new(state(1));
    current.set_policy_as_of(Moment::read_as(UnixMillis(7000)));
    let (server, _follower, _trigger) = serve(&current, Refresh::nothing());
    let mut watch = Watch::open(&server, None).await;
    assert_eq!(watch.hear().await, ("snapshot", 1, 7000));
    for _ in 0..3 {
        assert_eq!(watch.hear().await, ("heartbeat", 1, 7000));
    }
    current.set_policy_as_of(Moment::read_as(UnixMillis(8000)));
    assert_eq!(watch.hear().await, ("heartbeat", 1, 8000));
}

/// Between a state and its publication, the one before is no fresher than it was.
#[tokio::test]
async fn what_was_replaced_is_not_kept_fresh() {
    let current = Current::new(state(1));
    current.set_policy_as_of(Moment::read_as(UnixMillis(7000)));
    let (publications, follower) = Publications::new(current.clone(), &[]).unwrap();
    let mut newest = publications.channel(&Scope::All).unwrap().newest.subscribe();
    let first = Arc::clone(&newest.borrow_and_update());
    current.store(state(2));
    current.set_policy_as_of(Moment::read_as(UnixMillis(8000)));
    assert_eq!(publications.as_of(&first), UnixMillis(7000));
    let (_trigger, shutdown) = Trigger::new();
    tokio::spawn(follower.run(shutdown));
    newest.changed().await.unwrap();
    assert_eq!(publications.as_of(&newest.borrow()), UnixMillis(8000));
}

/// What a state is sent with.
fn digest(state: State) -> Vec<u8> {
    let (publications, _) = Publications::new(Current::new(state), &[]).unwrap();
    publications.channel(&Scope::All).unwrap().newest().base.digest.to_vec()
}

/// A document that changes under its version is another document.
#[tokio::test]
async fn another_document_of_one_version_is_sent() {
    let current = Current::new(state(1));
    let (server, follower, _trigger) = serve(&current, Refresh::nothing());
    let (_unused, shutdown) = Trigger::new();
    tokio::spawn(follower.run(shutdown));
    let held = digest(state(1));
    let mut watch = Watch::open_with(&server, Some(1), held.clone()).await;
    let mut doubtful = Watch::open_with(&server, Some(1), vec![0; 32]).await;
    assert_eq!(watch.hear().await.0, "heartbeat");
    assert_eq!(doubtful.hear().await.0, "snapshot");
    // The same document again is none.
    current.store(state(1));
    let Message::Heartbeat(beat) = watch.next().await else { panic!("no heartbeat") };
    assert_eq!(beat.digest, held);
    current.store(state_of(1, 5));
    let sent = loop {
        match watch.next().await {
            Message::Snapshot(snapshot) => break snapshot,
            Message::Heartbeat(beat) => assert_eq!(beat.digest, held),
            Message::GoAway(_) | Message::Delta(_) => panic!("sent away"),
        }
    };
    assert_eq!((sent.version, &sent.digest), (Some(to_wire(version(1))), &digest(state_of(1, 5))));
    let Message::Heartbeat(beat) = watch.next().await else { panic!("no heartbeat") };
    assert_eq!(beat.digest, sent.digest);
}

/// A watcher comes from a replica that knew more. The store is asked at once, and not by each of many.
#[tokio::test]
async fn what_a_watcher_holds_already_is_looked_up_before_it_is_sent_away() {
    let current = Current::new(state(1));
    let asked = Arc::new(AtomicUsize::new(0));
    let refresh = {
        let (current, asked) = (current.clone(), Arc::clone(&asked));
        Refresh::new(move || {
            let (current, asked) = (current.clone(), Arc::clone(&asked));
            Box::pin(async move {
                tokio::task::yield_now().await;
                asked.fetch_add(1, Ordering::Relaxed);
                current.store(state(2));
            })
        })
    };
    let (server, follower, trigger) = serve(&current, refresh);
    let (_unused, shutdown) = Trigger::new();
    tokio::spawn(follower.run(shutdown));
    let held = digest(state(2));
    let mut watches = join_all((0..10).map(|_| Watch::open_with(&server, Some(2), held.clone()))).await;
    let heard = join_all(watches.iter_mut().map(Watch::hear)).await;
    assert!(heard.iter().all(|(kind, generation, _)| (*kind, *generation) == ("heartbeat", 2)), "{heard:?}");
    // Once, and once more for those who came meanwhile.
    assert!(asked.load(Ordering::Relaxed) <= 2);
    // The store knows no more either.
    assert_eq!(Watch::open(&server, Some(3)).await.hear().await.0, "go away");
    assert_eq!(Watch::open(&server, Some(1)).await.hear().await.0, "snapshot");
    trigger.pull();
    assert_eq!(watches[0].hear().await.0, "go away");
}
