//! A watcher that takes deltas, as the filter does.

use std::collections::BTreeMap;

use proto::v1::{Delta, Hello, Node, PROTOCOL, Snapshot, Version, watch_request, watch_response::Message};
use tokio::time::timeout;
use verdict::revocation::{Hash, Record};

use super::{Writ, feed::Watch, writ::PATIENCE};

/// What it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) version: Version,
    pub(crate) digest: Vec<u8>,
    /// By hash, until when.
    pub(crate) revoked: BTreeMap<Hash, u32>,
    pub(crate) as_of_ms: u64,
    /// How many of each came.
    pub(crate) snapshots: usize,
    pub(crate) deltas: usize,
}

/// One stream and what came of it.
pub(crate) struct Following {
    pub(crate) watch: Watch,
    pub(crate) held: Held,
}

pub(crate) fn hello_stepwise(held: Option<&Held>) -> watch_request::Message {
    watch_request::Message::Hello(Hello {
        protocol: PROTOCOL,
        build: "test-2".to_owned(),
        features: vec!["revocations".to_owned()],
        node: Some(Node { id: "envoy-1".to_owned(), cluster: "edge".to_owned() }),
        version: held.map(|held| held.version),
        digest: held.map(|held| held.digest.clone()).unwrap_or_default(),
    })
}

impl Following {
    /// Says Hello with what it holds.
    pub(crate) async fn begin(watch: Watch, held: Option<Held>) -> Self {
        watch.send(hello_stepwise(held.as_ref())).await;
        // Another replica may have read the store earlier.
        Self { watch, held: Held { as_of_ms: 0, ..held.unwrap_or_default() } }
    }

    /// Takes in the next message, and acknowledges what can be. Whatever does not lead on is a fault.
    pub(crate) async fn take(&mut self) {
        match self.watch.next().await.unwrap() {
            Some(Message::Snapshot(first)) => self.snapshot(first).await,
            Some(Message::Delta(delta)) => self.delta(delta).await,
            Some(Message::Heartbeat(beat)) => {
                assert_eq!((beat.version, &beat.digest), (Some(self.held.version), &self.held.digest));
                assert!(beat.as_of_ms >= self.held.as_of_ms);
                self.held.as_of_ms = beat.as_of_ms;
            }
            other => panic!("{other:?}"),
        }
    }

    /// Goes on until what it holds is as `wanted`.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Held) -> bool) -> &Held {
        let taking = async {
            while !wanted(&self.held) {
                self.take().await;
            }
        };
        let taken = timeout(PATIENCE, taking).await;
        assert!(taken.is_ok(), "still at {:?}", self.held.version);
        &self.held
    }

    async fn snapshot(&mut self, first: Snapshot) {
        let (mut piece, mut revoked) = (first, BTreeMap::new());
        loop {
            let records = Record::read_all(&piece.revoked).unwrap();
            revoked.extend(records.map(|record| (record.hash, record.until)));
            if piece.chunk + 1 == piece.chunks {
                break;
            }
            let Some(Message::Snapshot(next)) = self.watch.next().await.unwrap() else {
                panic!("a snapshot is cut")
            };
            assert_eq!(next.chunk, piece.chunk + 1);
            piece = next;
        }
        let Snapshot { version, digest, as_of_ms, .. } = piece;
        let version = version.unwrap();
        assert!(place(version) >= place(self.held.version), "went back");
        let (snapshots, deltas) = (self.held.snapshots + 1, self.held.deltas);
        self.held = Held { version, digest, revoked, as_of_ms, snapshots, deltas };
        self.watch.ack(version).await;
    }

    async fn delta(&mut self, delta: Delta) {
        let Delta { version, previous, digest, requires, as_of_ms, revoked, lifted } = delta;
        assert_eq!((previous, &digest), (Some(self.held.version), &self.held.digest), "a gap");
        assert!(requires.is_empty());
        let records = Record::read_all(&revoked).unwrap();
        self.held.revoked.extend(records.map(|record| (record.hash, record.until)));
        for hash in lifted.as_chunks::<16>().0 {
            self.held.revoked.remove(hash);
        }
        self.held.version = version.unwrap();
        assert!(place(self.held.version) > place(previous.unwrap()));
        self.held.as_of_ms = self.held.as_of_ms.max(as_of_ms);
        self.held.deltas += 1;
        self.watch.ack(self.held.version).await;
    }
}

fn place(version: Version) -> (u64, u64, u64) {
    (version.epoch, version.generation, version.revocation)
}

impl Writ {
    /// A stream over the Unix socket that has its first snapshot.
    pub(crate) async fn follow(&self) -> Following {
        let mut following = Following::begin(self.watch().await, None).await;
        following.until(|held| held.snapshots == 1).await;
        following
    }
}
