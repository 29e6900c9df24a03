//! Revocations on their way to watchers.

use std::time::{Duration, Instant};

use proto::v1::{Delta, Snapshot};
use verdict::revocation::{Hash, Record};

use super::*;
use crate::revocations::{Change, Revision, Revoked, Tick};

/// A feed whose revocations are in the test's hands.
pub(super) struct Revoking {
    pub(super) current: Current,
    pub(super) publications: Arc<Publications>,
    pub(super) server: FeedServer,
    pub(super) registry: Registry,
    revoked: Revoked,
    _trigger: Trigger,
    _stop: Trigger,
}

impl Revoking {
    pub(super) fn new() -> Self {
        Self::with(Refresh::nothing())
    }

    fn with(refresh: Refresh) -> Self {
        let current = Current::new(state(1));
        let revoked = Revoked::nothing(1, 1, []);
        current.revise(Arc::new(revoked.clone()));
        let (publications, follower) = Publications::new(current.clone(), &[]).unwrap();
        let (feed, trigger) = feed(Arc::clone(&publications), refresh);
        let (stop, shutdown) = Trigger::new();
        tokio::spawn(follower.run(shutdown));
        let registry = feed.registry.clone();
        let server = FeedServer::new(feed, Identity::socket(false));
        Self { current, publications, server, registry, revoked, _trigger: trigger, _stop: stop }
    }

    /// What the tail does with what it reads.
    pub(super) fn tick(&mut self, changes: &[Revision]) {
        let previous = self.revoked.sequence();
        let changes: Vec<Change> =
            changes.iter().map(|what| Change { what: *what, audience: None }).collect();
        let tick = Tick {
            reading: self.revoked.reading(),
            previous,
            sequence: previous + changes.len() as u64,
            known_at: tokio::time::Instant::now(),
            changes,
        };
        self.revoked.follow(&tick).unwrap();
        self.current.revise(Arc::new(self.revoked.clone()));
        self.registry.expect(1, tick.sequence, tick.known_at);
        self.publications.advance(&Arc::new(tick));
    }

    /// What the tail does where it has to begin anew.
    pub(super) fn begin_anew(&mut self, epoch: u64, sequence: u64, changes: &[Revision]) {
        let changes: Vec<Change> =
            changes.iter().map(|what| Change { what: *what, audience: None }).collect();
        let mut revoked = Revoked::nothing(epoch, self.revoked.reading() + 1, []);
        revoked.begin(sequence, &changes).unwrap();
        self.revoked = revoked;
        self.current.revise(Arc::new(self.revoked.clone()));
    }

    /// Says Hello as a watcher that takes deltas, and holds nothing.
    pub(super) async fn watch(&self) -> Watch {
        Watch::say(&self.server, hello()).await
    }
}

pub(super) fn hello() -> Hello {
    Hello { protocol: PROTOCOL, features: vec![FEATURE.to_owned()], ..Hello::default() }
}

const FEATURE: &str = "revocations";

/// One that stands for ever.
pub(super) fn revoke(byte: u8) -> Revision {
    Revision::Revoke(record(byte))
}

pub(super) fn record(byte: u8) -> Record {
    Record::new([byte; 16], None)
}

pub(super) fn at(revocation: u64) -> Version {
    Version { revocation, ..version(1) }
}

impl Watch {
    /// The next snapshot's version and records.
    async fn snapshot(&mut self) -> (Snapshot, Vec<Record>) {
        let mut records = Vec::new();
        loop {
            match self.next().await {
                Message::Snapshot(piece) => {
                    records.extend(Record::read_all(&piece.revoked).unwrap());
                    if piece.chunk + 1 == piece.chunks {
                        records.sort_by_key(|record| record.hash);
                        records.dedup();
                        return (piece, records);
                    }
                }
                Message::Heartbeat(_) => {}
                other => panic!("no snapshot: {other:?}"),
            }
        }
    }

    /// The next delta; heartbeats before it do not count.
    async fn delta(&mut self) -> Delta {
        loop {
            match self.next().await {
                Message::Delta(delta) => return delta,
                Message::Heartbeat(_) => {}
                other => panic!("no delta: {other:?}"),
            }
        }
    }
}

fn said(delta: &Delta) -> (Vec<Record>, Vec<Hash>) {
    let mut revoked: Vec<Record> = Record::read_all(&delta.revoked).unwrap().collect();
    let mut lifted: Vec<Hash> = delta.lifted.as_chunks().0.to_vec();
    revoked.sort_by_key(|record| record.hash);
    lifted.sort_unstable();
    (revoked, lifted)
}

fn way(delta: &Delta) -> (Option<Version>, Option<Version>) {
    (delta.previous.map(from_wire), delta.version.map(from_wire))
}

#[tokio::test]
async fn a_delta_follows_a_snapshot() {
    let mut feed = Revoking::new();
    feed.current.set_policy_as_of(Moment::read_as(UnixMillis(7000)));
    feed.current.set_revocations_as_of(Moment::read_as(UnixMillis(6000)));
    let mut watch = feed.watch().await;
    let (snapshot, records) = watch.snapshot().await;
    assert_eq!((snapshot.version, snapshot.as_of_ms), (Some(to_wire(at(0))), 6000));
    assert!(records.is_empty());
    feed.current.set_revocations_as_of(Moment::read_as(UnixMillis(8000)));
    feed.tick(&[revoke(1), revoke(2)]);
    let delta = watch.delta().await;
    assert_eq!(way(&delta), (Some(at(0)), Some(at(2))));
    assert_eq!((&delta.digest, delta.as_of_ms), (&snapshot.digest, 7000), "the older of the two");
    assert_eq!(said(&delta), (vec![record(1), record(2)], vec![]));
    feed.tick(&[Revision::Lift([1; 16])]);
    let delta = watch.delta().await;
    assert_eq!(way(&delta), (Some(at(2)), Some(at(3))));
    assert_eq!(said(&delta), (vec![], vec![[1; 16]]));
    // Hearts beat for what was told.
    let Message::Heartbeat(beat) = watch.next().await else { panic!("no heartbeat") };
    assert_eq!((beat.version, beat.digest), (Some(to_wire(at(3))), snapshot.digest));
}

/// It is not read from while ticks come: it gets what comes of them, in one message.
#[tokio::test]
async fn a_slow_reader_gets_the_sum() {
    let mut feed = Revoking::new();
    let mut watch = feed.watch().await;
    watch.snapshot().await;
    feed.tick(&[revoke(1), revoke(2), revoke(3)]);
    feed.tick(&[Revision::Lift([2; 16])]);
    feed.tick(&[Revision::Lift([3; 16]), revoke(3), revoke(4)]);
    let delta = watch.delta().await;
    assert_eq!(way(&delta), (Some(at(0)), Some(at(7))));
    assert_eq!(said(&delta), (vec![record(1), record(3), record(4)], vec![[2; 16]]));
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed() {
    let mut feed = Revoking::new();
    let (snapshot, _) = feed.watch().await.snapshot().await;
    feed.tick(&[revoke(1)]);
    feed.tick(&[revoke(2), revoke(3), revoke(4)]);
    let holding = |revocation| Hello {
        version: Some(to_wire(at(revocation))),
        digest: snapshot.digest.clone(),
        ..hello()
    };
    let mut watch = Watch::say(&feed.server, holding(1)).await;
    assert_eq!(way(&watch.delta().await), (Some(at(1)), Some(at(4))));
    // Another replica told it half of what was one tick here.
    let mut watch = Watch::say(&feed.server, holding(2)).await;
    let delta = watch.delta().await;
    assert_eq!(way(&delta), (Some(at(2)), Some(at(4))));
    assert_eq!(said(&delta).0, [record(2), record(3), record(4)]);
    let mut watch = Watch::say(&feed.server, holding(4)).await;
    assert_eq!(watch.hear().await.0, "heartbeat");
    // Another document, whatever its version.
    let mut watch = Watch::say(&feed.server, Hello { digest: vec![1; 32], ..holding(4) }).await;
    let (_, records) = watch.snapshot().await;
    assert_eq!(records, [record(1), record(2), record(3), record(4)]);
    let mut watch = Watch::say(&feed.server, holding(5)).await;
    let Message::GoAway(away) = watch.next().await else { panic!("not sent away") };
    assert!(away.reason.contains("at generation 1 and revocation 4"), "{}", away.reason);
}

#[tokio::test]
async fn who_missed_too_much_gets_everything() {
    let mut feed = Revoking::new();
    let mut watch = feed.watch().await;
    watch.snapshot().await;
    feed.tick(&[revoke(1)]);
    watch.delta().await;
    // The tail could not go on, and has read everything.
    feed.begin_anew(1, 9, &[revoke(1), revoke(2)]);
    let (snapshot, records) = watch.snapshot().await;
    assert_eq!(snapshot.version, Some(to_wire(at(9))));
    assert_eq!(records, [record(1), record(2)]);
    feed.tick(&[revoke(3)]);
    assert_eq!(way(&watch.delta().await), (Some(at(9)), Some(at(10))));
}

/// An edit of the policy comes with what is revoked.
#[tokio::test]
async fn another_policy_comes_with_what_is_revoked() {
    let mut feed = Revoking::new();
    let mut watch = feed.watch().await;
    watch.snapshot().await;
    feed.tick(&[revoke(1)]);
    watch.delta().await;
    feed.current.store(state(2));
    let (snapshot, records) = watch.snapshot().await;
    assert_eq!(snapshot.version, Some(to_wire(Version { revocation: 1, ..version(2) })));
    assert_eq!(records, [record(1)]);
}

/// A restored backup: the tail sees it before or after the policy's reader.
#[tokio::test]
async fn nothing_is_published_between_two_epochs() {
    for tail_first in [true, false] {
        let mut feed = Revoking::new();
        let mut watch = feed.watch().await;
        watch.snapshot().await;
        feed.tick(&[revoke(1), revoke(2)]);
        watch.delta().await;
        let restored = feed.current.load().under(2, 5).unwrap();
        if tail_first {
            feed.begin_anew(2, 1, &[revoke(1)]);
            assert!(!feed.current.load().is_settled());
            feed.current.store(restored);
        } else {
            feed.current.store(restored);
            assert!(!feed.current.load().is_settled());
            feed.begin_anew(2, 1, &[revoke(1)]);
        }
        assert!(feed.current.load().is_settled());
        let (snapshot, records) = watch.snapshot().await;
        let wanted = Version { epoch: 2, generation: 1, revocation: 1 };
        assert_eq!((snapshot.version, records), (Some(to_wire(wanted)), vec![record(1)]));
    }
}

/// A replica may be ahead in its policy and behind in its revocations, or the other way round.
#[tokio::test]
async fn whoever_holds_more_of_either_is_sent_away_once_the_store_was_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let mut feed = Revoking::with(Refresh::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {})
    }));
    feed.current.store(state(6));
    feed.tick(&[revoke(1), revoke(2)]);
    let held = |generation, revocation| Version { epoch: 1, generation, revocation };
    let away = [held(5, 3), held(7, 2), held(7, 1), held(6, 3), Version { epoch: 2, ..held(1, 0) }];
    for (version, times) in away.into_iter().zip(1..) {
        for features in [vec![FEATURE.to_owned()], Vec::new()] {
            let version = Some(to_wire(version));
            let mut watch = Watch::say(&feed.server, Hello { version, features, ..hello() }).await;
            assert_eq!(watch.hear().await.0, "go away", "{version:?}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2 * times);
    }
    for version in [held(5, 2), held(6, 1), held(1, 1), Version { epoch: 0, ..held(9, 9) }] {
        let mut watch = Watch::say(&feed.server, Hello { version: Some(to_wire(version)), ..hello() }).await;
        assert_eq!(watch.snapshot().await.0.version, Some(to_wire(held(6, 2))));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2 * away.len());
}

#[tokio::test]
async fn nobody_is_told_of_less_that_is_revoked_under_a_later_policy() {
    let mut feed = Revoking::new();
    feed.tick(&[revoke(1), revoke(2)]);
    let mut watch = feed.watch().await;
    assert_eq!(watch.snapshot().await.0.version, Some(to_wire(at(2))));
    feed.begin_anew(1, 1, &[revoke(1)]);
    feed.current.store(state(2));
    loop {
        match watch.next().await {
            Message::GoAway(_) => break,
            Message::Heartbeat(beat) => assert_eq!(beat.version, Some(to_wire(at(2)))),
            other => panic!("{other:?}"),
        }
    }
}

/// A document that was written an instant before is not for who holds more.
#[tokio::test]
async fn an_earlier_release_gets_no_document_that_lacks_what_it_holds() {
    let mut feed = Revoking::new();
    feed.current.store(state(2));
    let mut watch = Watch::open(&feed.server, None).await;
    assert_eq!(watch.snapshot().await.0.version.unwrap().revocation, 0);
    feed.tick(&[revoke(1)]);
    for (held, expected) in [(None, 0), (Some(at(1)), 1)] {
        let hello = Hello { protocol: PROTOCOL, version: held.map(to_wire), ..Hello::default() };
        let mut watch = Watch::say(&feed.server, hello).await;
        assert_eq!(watch.snapshot().await.0.version.unwrap().revocation, expected);
    }
}

/// A release that knows no deltas finds revocations in the document, and gets no more than one a second.
#[tokio::test]
async fn an_earlier_release_gets_documents() {
    let mut feed = Revoking::new();
    let mut watch = Watch::open(&feed.server, None).await;
    assert_eq!(watch.hear().await.0, "snapshot");
    let begun = Instant::now();
    for byte in 1..=3 {
        feed.tick(&[revoke(byte)]);
        tokio::task::yield_now().await;
    }
    let piece = loop {
        match watch.next().await {
            Message::Snapshot(piece) => break piece,
            Message::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    let document = verdict::Snapshot::from_json(&piece.part).unwrap();
    assert_eq!(piece.version, Some(to_wire(document.version())));
    assert_eq!(document.version(), at(3));
    let records: Vec<Record> = document.revocations().iter().collect();
    assert_eq!(records, [record(1), record(2), record(3)]);
    let Message::Heartbeat(beat) = watch.next().await else { panic!("no heartbeat") };
    assert_eq!((beat.version, beat.digest), (piece.version, piece.digest));
}

#[tokio::test]
async fn who_has_taken_a_document_is_known() {
    let mut feed = Revoking::new();
    assert!(feed.registry.all_hold(1), "nobody has to");
    let mut watch = feed.watch().await;
    let (snapshot, _) = watch.snapshot().await;
    let edition = feed.current.load().edition();
    assert!(!feed.registry.all_hold(edition));
    watch.ack(snapshot.version.unwrap()).await;
    until(&mut watch, || feed.registry.all_hold(edition)).await;
    feed.tick(&[revoke(1)]);
    let delta = watch.delta().await;
    // Another document under the same version, before that is answered.
    feed.current.store(state_of(1, 5));
    let newer = feed.current.load().edition();
    assert!(newer > edition);
    watch.snapshot().await;
    watch.ack(delta.version.unwrap()).await;
    until(&mut watch, || feed.registry.watchers()[0].version.map(|held| held.revocation) == Some(1)).await;
    assert!(!feed.registry.all_hold(newer), "that was an answer to the delta");
    watch.ack(delta.version.unwrap()).await;
    until(&mut watch, || feed.registry.all_hold(newer)).await;
}

/// The server's side of a stream does nothing but when it is polled.
async fn until(watch: &mut Watch, done: impl Fn() -> bool) {
    while !done() {
        assert_eq!(watch.hear().await.0, "heartbeat");
    }
}
