//! What is revoked and lifted, as it comes: in order, or not at all.

use std::cell::RefCell;

use prost::Message as _;
use proto::v1::{self, watch_request, watch_response};
use verdict::revocation::{Hash, HashKey, Kind, MAX, Record};
use wasm_filter::{root::Root, stream::Flow};

use crate::{
    fake::FakeHost,
    feed::{DIGEST, asks, at_five, fed, hear, heartbeat, hello, last_nack, pass, pieces, said, version},
    fixture::{NOW, ROOT, TASK},
};

const OTHER: &[u8] = b"another document";

/// The hash of a name of the fixture's tokens.
pub(crate) fn hash(kind: Kind, name: &str) -> Hash {
    HashKey::from_bytes([1; 16]).hash(kind, name)
}

fn sequence(revocation: u64) -> v1::Version {
    v1::Version { revocation, ..version(5) }
}

fn records(hashes: &[Hash], until: u32) -> Vec<u8> {
    hashes.iter().flat_map(|&hash| Record { hash, until }.to_bytes()).collect()
}

/// A delta of the document that [`at_five`] judges by.
pub(crate) fn delta(previous: u64, revocation: u64, revoked: &[Hash], lifted: &[Hash]) -> v1::Delta {
    v1::Delta {
        version: Some(sequence(revocation)),
        previous: Some(sequence(previous)),
        digest: DIGEST.to_vec(),
        requires: vec!["bodies".to_owned()],
        as_of_ms: NOW * 1000,
        revoked: records(revoked, 0),
        lifted: lifted.concat(),
    }
}

pub(crate) fn encode(delta: v1::Delta) -> Vec<u8> {
    v1::WatchResponse { message: Some(watch_response::Message::Delta(delta)) }.encode_to_vec()
}

/// The snapshot at a revocation sequence, with records behind its text.
fn snapshot_at(revocation: u64, revoked: &[Vec<u8>]) -> Vec<Vec<u8>> {
    snapshot_of(sequence(revocation), revoked)
}

fn snapshot_of(version: v1::Version, revoked: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let chunks = u32::try_from(2 + revoked.len()).expect("few pieces");
    let texts = pieces(version.generation, 2, |_| {});
    let decode = |message: &Vec<u8>| match v1::WatchResponse::decode(message.as_slice()) {
        Ok(v1::WatchResponse { message: Some(watch_response::Message::Snapshot(piece)) }) => piece,
        other => panic!("{other:?}"),
    };
    let texts = texts.iter().map(decode);
    let behind = revoked.iter().map(|revoked| v1::Snapshot {
        part: Vec::new(),
        revoked: revoked.clone(),
        ..decode(&pieces(version.generation, 1, |_| {})[0])
    });
    let numbered = (0..).zip(texts.chain(behind)).map(|(chunk, piece)| v1::Snapshot {
        version: Some(version),
        chunk,
        chunks,
        ..piece
    });
    let message = |piece| v1::WatchResponse { message: Some(watch_response::Message::Snapshot(piece)) };
    numbered.map(|piece| message(piece).encode_to_vec()).collect()
}

fn acks(host: &FakeHost, stream: u32) -> Vec<u64> {
    let acks = said(host, stream).into_iter().filter_map(|message| match message {
        watch_request::Message::Ack(ack) => ack.version.map(|version| version.revocation),
        _ => None,
    });
    acks.collect()
}

/// `allow`, or the code of the latest denial.
fn verdict(host: &FakeHost, root: &Root<FakeHost>) -> String {
    match asks(host, root) {
        Flow::Continue => "allow".to_owned(),
        Flow::Pause => host.state().responses.last().expect("a response").code(),
    }
}

#[test]
fn the_filter_says_that_it_understands() {
    let host = FakeHost::new();
    let _root = fed(&host, ROOT);
    assert_eq!(hello(&host, 1).features, ["revocations"]);
}

#[test]
fn a_delta_counts_from_the_next_request_on_and_so_does_the_next() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    // Its proof is remembered: revocation is looked at in any case.
    assert_eq!((verdict(&host, &root).as_str(), host.metric("writ.token_cache.hit")), ("allow", 1));
    let task = hash(Kind::Task, TASK);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[task], &[])));
    assert_eq!((verdict(&host, &root).as_str(), host.metric("writ.token_cache.hit")), ("revoked", 2));
    assert_eq!(host.metric("writ.revocations"), 1);
    hear(&host, &mut root, 1, encode(delta(10, 13, &[hash(Kind::Task, "another")], &[task])));
    assert_eq!(verdict(&host, &root), "allow");
    assert_eq!(acks(&host, 1), [9, 10, 13]);
    assert_eq!(host.metric("writ.snapshot.revocation"), 13);
    assert_eq!(host.metric("writ.feed.deltas"), 2);
    assert_eq!((host.metric("writ.feed.snapshots"), host.metric("writ.revocations")), (1, 1));
    assert_eq!(host.metric("writ.token_cache.miss"), 1, "proofs stay");
}

#[test]
fn whatever_is_named_twice_is_revoked() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let task = hash(Kind::Task, TASK);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[task], &[task])));
    assert_eq!(verdict(&host, &root), "revoked");
}

#[test]
fn what_does_not_follow_is_not_applied_and_another_stream_is_opened() {
    let task = hash(Kind::Task, TASK);
    let good = delta(9, 10, &[task], &[]);
    let cases = [
        delta(10, 11, &[task], &[]),
        delta(8, 10, &[task], &[]),
        delta(9, 8, &[task], &[]),
        v1::Delta { digest: OTHER.to_vec(), ..good.clone() },
        v1::Delta { version: Some(version(6)), ..good.clone() },
        v1::Delta { version: None, ..good.clone() },
        v1::Delta { previous: None, ..good.clone() },
        v1::Delta { revoked: good.revoked[1..].to_vec(), ..good.clone() },
        v1::Delta { lifted: vec![1; 17], ..good.clone() },
    ];
    for case in cases {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        hear(&host, &mut root, 1, encode(case.clone()));
        assert!(!last_nack(&host, 1).is_empty());
        // What is held judges on, and nothing more is taken from this stream.
        hear(&host, &mut root, 1, encode(good.clone()));
        assert_eq!((verdict(&host, &root).as_str(), acks(&host, 1)), ("allow", vec![9]), "{case:?}");
        root.on_tick();
        assert_eq!(host.state().cancelled, [1]);
        pass(&host, &mut root, 200);
        assert_eq!(hello(&host, 2).version, Some(sequence(9)));
        // There it may be told what it missed.
        hear(&host, &mut root, 2, encode(good.clone()));
        assert_eq!((verdict(&host, &root).as_str(), acks(&host, 2)), ("revoked", vec![10]));
    }
}

#[test]
fn before_a_snapshot_there_is_nothing_to_revise() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[], &[])));
    assert_eq!(last_nack(&host, 1), "does not follow what is held");
}

#[test]
fn a_delta_that_needs_more_is_refused_and_staleness_counts() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let later = |feature: &str| v1::Delta {
        requires: vec![feature.to_owned()],
        as_of_ms: (NOW + 31) * 1000,
        ..delta(9, 10, &[], &[])
    };
    host.state_mut().now = NOW + 31;
    hear(&host, &mut root, 1, encode(later("limits")));
    assert_eq!(last_nack(&host, 1), "requires `limits`, which this version does not have");
    assert_eq!(verdict(&host, &root), "stale_snapshot");
    assert!(host.state().cancelled.is_empty());
    hear(&host, &mut root, 1, encode(later("revocations")));
    assert_eq!(verdict(&host, &root), "allow");
}

#[test]
fn a_delta_keeps_fresh_and_heartbeats_are_about_what_it_led_to() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    host.state_mut().now = NOW + 20;
    let as_of_ms = (NOW + 20) * 1000;
    hear(&host, &mut root, 1, encode(v1::Delta { as_of_ms, ..delta(9, 10, &[], &[]) }));
    host.state_mut().now = NOW + 50;
    assert_eq!(verdict(&host, &root), "allow");
    // Of the version before.
    hear(&host, &mut root, 1, heartbeat(5, (NOW + 50) * 1000));
    host.state_mut().now = NOW + 51;
    assert_eq!(verdict(&host, &root), "stale_snapshot");
}

#[test]
fn records_come_behind_the_text_and_only_there() {
    let task = hash(Kind::Task, TASK);
    let others: Vec<Vec<u8>> =
        (0..3_u8).map(|number| records(&[hash(Kind::Task, &number.to_string())], 0)).collect();
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    for piece in snapshot_at(12, &[&others[..], &[records(&[task], 0)]].concat()) {
        assert!(acks(&host, 1).is_empty());
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!((acks(&host, 1), verdict(&host, &root).as_str()), (vec![12], "revoked"));
    assert_eq!(host.metric("writ.revocations"), 4);
    hear(&host, &mut root, 1, encode(delta(12, 13, &[], &[task])));
    assert_eq!(verdict(&host, &root), "allow");
    drop(root);

    for (change, reason) in [
        ((|pieces| pieces[1..].reverse()) as fn(&mut Vec<Vec<u8>>), "pieces out of order"),
        (|pieces| *pieces = snapshot_at(12, &[vec![7; 21]]), "not records of 20 bytes each"),
        (|pieces| *pieces = snapshot_at(12, &[Vec::new()]), "pieces out of order"),
        (|pieces| *pieces = snapshot_at(8, &[]), "its document is of another version"),
    ] {
        let host = FakeHost::new();
        let mut root = fed(&host, ROOT);
        let mut pieces = snapshot_at(12, &[records(&[task], 0)]);
        change(&mut pieces);
        for piece in pieces {
            hear(&host, &mut root, 1, piece);
        }
        assert_eq!(last_nack(&host, 1), reason);
    }
}

/// Full, of records that expire at [`NOW`] + 20.
fn full(host: &FakeHost) -> Root<FakeHost> {
    thread_local! {
        static PIECES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }
    let mut hash: u128 = 0;
    let mut hashes = (0..MAX).map(|_| {
        hash += u128::MAX / MAX as u128;
        hash.to_be_bytes()
    });
    let chunk = || {
        let hashes: Vec<Hash> = hashes.by_ref().take(13_000).collect();
        (!hashes.is_empty()).then(|| records(&hashes, u32::try_from(NOW + 20).expect("before 2106")))
    };
    let chunks: Vec<Vec<u8>> = std::iter::from_fn(chunk).collect();
    let mut root = fed(host, ROOT);
    for piece in snapshot_at(9, &chunks) {
        hear(host, &mut root, 1, piece);
    }
    assert_eq!(acks(host, 1), [9]);
    root
}

#[test]
fn a_full_memory_refuses_and_goes_stale_until_something_has_expired() {
    let host = FakeHost::new();
    let mut root = full(&host);
    assert_eq!(host.metric("writ.revocations"), MAX as u64);
    let task = hash(Kind::Task, TASK);
    let at = |seconds: u64| v1::Delta { as_of_ms: (NOW + seconds) * 1000, ..delta(9, 10, &[task], &[]) };
    host.state_mut().now = NOW + 10;
    hear(&host, &mut root, 1, encode(at(10)));
    assert_eq!(last_nack(&host, 1), format!("more than {MAX} revocations"));
    assert_eq!((host.metric("writ.revocations"), verdict(&host, &root).as_str()), (MAX as u64, "allow"));
    pass(&host, &mut root, 200);
    host.state_mut().now = NOW + 31;
    assert_eq!(verdict(&host, &root), "stale_snapshot");
    assert_eq!(hello(&host, 2).version, Some(sequence(9)));

    // Its own clock does not do: the sender has to have come so far.
    hear(&host, &mut root, 2, heartbeat(5, (NOW + 20) * 1000));
    hear(&host, &mut root, 2, encode(at(31)));
    assert_eq!(last_nack(&host, 2), format!("more than {MAX} revocations"));
    pass(&host, &mut root, 5_000);
    let stream = u32::try_from(host.state().opened.len()).expect("few streams");
    hear(&host, &mut root, stream, heartbeat(5, (NOW + 31) * 1000));
    hear(&host, &mut root, stream, encode(at(31)));
    assert_eq!((verdict(&host, &root).as_str(), host.metric("writ.revocations")), ("revoked", 1));
}

#[test]
fn what_has_expired_is_forgotten_in_time() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let until = u32::try_from(NOW + 20).expect("before 2106");
    let short = v1::Delta { revoked: records(&[hash(Kind::Task, "short")], until), ..delta(9, 10, &[], &[]) };
    hear(&host, &mut root, 1, encode(short));
    hear(&host, &mut root, 1, encode(delta(10, 11, &[hash(Kind::Agent, "long")], &[])));
    let beat = |root: &mut Root<FakeHost>, seconds: u64| {
        let (version, digest) = (Some(sequence(11)), DIGEST.to_vec());
        let beat = v1::Heartbeat { as_of_ms: (NOW + seconds) * 1000, version, interval_ms: 60_000, digest };
        let beat = v1::WatchResponse { message: Some(watch_response::Message::Heartbeat(beat)) };
        hear(&host, root, 1, beat.encode_to_vec());
        root.on_tick();
        host.metric("writ.revocations")
    };
    host.state_mut().now = NOW + 20;
    assert_eq!(beat(&mut root, 20), 2);
    host.state_mut().now = NOW + 60;
    // The sender is not that far, or this clock is ahead.
    assert_eq!(beat(&mut root, 20), 2);
    host.state_mut().now = NOW + 80;
    assert_eq!(beat(&mut root, 80), 1);
    assert_eq!(verdict(&host, &root), "allow");
}

#[test]
fn a_snapshot_that_is_behind_waits_for_what_follows_it() {
    // A worker of this Envoy has held 2.5.12; another one begins with what was encoded before.
    let first = FakeHost::new();
    let mut root = at_five(&first);
    hear(&first, &mut root, 1, encode(delta(9, 12, &[], &[])));
    drop(root);

    let host = FakeHost::new();
    host.state_mut().shared = first.state().shared.clone();
    let mut root = fed(&host, ROOT);
    for piece in snapshot_at(9, &[]) {
        hear(&host, &mut root, 1, piece);
    }
    assert!(acks(&host, 1).is_empty() && asks(&host, &root) == Flow::Pause);
    hear(&host, &mut root, 1, encode(delta(9, 11, &[hash(Kind::Task, TASK)], &[])));
    assert!(acks(&host, 1).is_empty());
    // The other one may be ahead again by now.
    let floor = host.state().shared.keys().next().cloned().expect("a floor");
    host.state_mut().shared.insert(floor.clone(), ([2_u64, 5, 99].map(u64::to_be_bytes).concat(), 7));
    hear(&host, &mut root, 1, encode(delta(11, 12, &[], &[])));
    assert_eq!((acks(&host, 1), verdict(&host, &root).as_str()), (vec![12], "revoked"));
    // And a delta to less than it has held is no step back.
    hear(&host, &mut root, 1, encode(delta(12, 13, &[], &[])));
    assert_eq!(acks(&host, 1), [12, 13]);
    assert_eq!(host.state().shared[&floor].0, [2_u64, 5, 99].map(u64::to_be_bytes).concat());
}

/// Generation 5 with this task revoked at place 100; and what leads generation 6 from place 90 there.
fn at_a_hundred(host: &FakeHost) -> (Root<FakeHost>, Vec<Vec<u8>>, v1::Delta) {
    let task = hash(Kind::Task, TASK);
    let mut root = at_five(host);
    hear(host, &mut root, 1, encode(delta(9, 100, &[task], &[])));
    let later = |revocation: u64| v1::Version { revocation, ..version(6) };
    let (version, previous) = (Some(later(100)), Some(later(90)));
    (root, snapshot_of(later(90), &[]), v1::Delta { version, previous, ..delta(90, 100, &[task], &[]) })
}

/// Another replica may be ahead in its policy and behind in its revocations.
#[test]
fn a_later_policy_takes_back_no_revocation() {
    let host = FakeHost::new();
    let (mut root, later, news) = at_a_hundred(&host);
    let in_force = |root: &Root<FakeHost>| (verdict(&host, root), host.metric("writ.snapshot.generation"));
    for piece in later {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!((acks(&host, 1), in_force(&root)), (vec![9, 100], ("revoked".to_owned(), 5)));
    hear(&host, &mut root, 1, encode(news));
    assert_eq!((acks(&host, 1), in_force(&root)), (vec![9, 100, 100], ("revoked".to_owned(), 6)));
    let floor = host.state().shared.values().next().cloned().expect("a floor");
    assert_eq!(floor.0, [2_u64, 6, 100].map(u64::to_be_bytes).concat());
}

/// Nor to a worker that has held nothing itself, whether the rest comes or not.
#[test]
fn a_later_policy_begins_with_the_revocations_that_others_have_held() {
    let first = FakeHost::new();
    let (root, later, news) = at_a_hundred(&first);
    drop(root);
    for comes in [true, false] {
        let host = FakeHost::new();
        host.state_mut().shared = first.state().shared.clone();
        let mut root = fed(&host, ROOT);
        for piece in later.clone() {
            hear(&host, &mut root, 1, piece);
        }
        assert!(acks(&host, 1).is_empty() && asks(&host, &root) == Flow::Pause);
        if comes {
            hear(&host, &mut root, 1, encode(news.clone()));
            assert_eq!((acks(&host, 1), verdict(&host, &root).as_str()), (vec![100], "revoked"));
        } else {
            pass(&host, &mut root, 1_100);
            assert_eq!(last_nack(&host, 1), "older than 2.5.100, which this Envoy has held");
        }
    }
}

/// What workers have held is no one version: the floor is the newest of either.
#[test]
fn a_floor_is_raised_in_each_of_its_parts() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let floor = host.state().shared.keys().next().cloned().expect("a floor");
    let set = |parts: [u64; 3]| {
        host.state_mut().shared.insert(floor.clone(), (parts.map(u64::to_be_bytes).concat(), 7));
    };
    let parts = || host.state().shared[&floor].0.clone();
    set([2, 7, 4]);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[], &[])));
    assert_eq!((acks(&host, 1), parts()), (vec![9, 10], [2_u64, 7, 10].map(u64::to_be_bytes).concat()));
    // The policy that is held here goes on, but none that is older than another's begins.
    for piece in snapshot_at(11, &[]) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(last_nack(&host, 1), "older than 2.7.10, which this Envoy has held");
    // A later epoch counts both anew.
    set([1, 90, 90]);
    pass(&host, &mut root, 200);
    for piece in snapshot_at(11, &[]) {
        hear(&host, &mut root, 2, piece);
    }
    assert_eq!((acks(&host, 2), parts()), (vec![11], [2_u64, 5, 11].map(u64::to_be_bytes).concat()));
}

#[test]
fn a_snapshot_that_stays_behind_is_refused() {
    let first = FakeHost::new();
    let mut root = at_five(&first);
    hear(&first, &mut root, 1, encode(delta(9, 12, &[], &[])));
    drop(root);

    let host = FakeHost::new();
    host.state_mut().shared = first.state().shared.clone();
    let mut root = fed(&host, ROOT);
    for piece in snapshot_at(9, &[]) {
        hear(&host, &mut root, 1, piece);
    }
    // Nothing newer exists there; a replica may be behind another for an instant.
    hear(&host, &mut root, 1, heartbeat(5, NOW * 1000));
    pass(&host, &mut root, 900);
    assert!(host.state().cancelled.is_empty());
    pass(&host, &mut root, 200);
    assert_eq!(last_nack(&host, 1), "older than 2.5.12, which this Envoy has held");
    assert_eq!(host.state().cancelled, [1]);
    // Nor does it come to count by a delta of another stream.
    pass(&host, &mut root, 200);
    hear(&host, &mut root, 2, encode(delta(9, 12, &[], &[])));
    assert_eq!(last_nack(&host, 2), "does not follow what is held");
}
