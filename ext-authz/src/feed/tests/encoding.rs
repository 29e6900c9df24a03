//! What is encoded once for many streams.

use std::collections::BTreeSet;

use prost::Message as _;
use proto::v1::{CHUNK, WatchResponse, watch_response::Message};
use verdict::revocation::Record;

use super::{
    deltas::{Revoking, at, record, revoke},
    *,
};
use crate::{
    config::DataPlane,
    revocations::{Change, Revision, Revoked, Tick},
};

fn distinct(number: u64) -> Record {
    let mut hash = [0; 16];
    // As uniformly distributed as real ones.
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    hash[8..].copy_from_slice(&number.to_be_bytes());
    Record::new(hash, None)
}

fn many(range: std::ops::Range<u64>) -> Vec<Revision> {
    range.map(|number| Revision::Revoke(distinct(number))).collect()
}

fn records(pieces: &[bytes::Bytes]) -> BTreeSet<[u8; 16]> {
    let records = pieces.iter().flat_map(|piece| Record::read_all(piece).unwrap());
    records.map(|record| record.hash).collect()
}

#[tokio::test]
async fn everything_is_put_together_once_and_then_continued() {
    let mut feed = Revoking::new();
    feed.tick(&many(0..30_000));
    let channel = feed.publications.channel(&Scope::All).unwrap();
    let first = channel.records(&channel.newest());
    assert!(first.len() > 2 && first.iter().all(|piece| piece.len() <= CHUNK && piece.len() % 20 == 0));
    assert_eq!(records(&first).len(), 30_000);
    feed.tick(&many(30_000..30_100));
    let second = channel.records(&channel.newest());
    assert_eq!(records(&second).len(), 30_100);
    assert_eq!(second[0].as_ptr(), first[0].as_ptr(), "not put together again");
    // A list cannot say that something is not revoked any more.
    feed.tick(&[Revision::Lift(distinct(7).hash)]);
    let third = channel.records(&channel.newest());
    assert_eq!(records(&third).len(), 30_099);
    // Nor grow for ever.
    feed.tick(&many(30_100..40_000));
    let fourth = channel.records(&channel.newest());
    assert_eq!(records(&fourth).len(), 39_999);
    assert_ne!(fourth[0].as_ptr(), third[0].as_ptr());
}

#[tokio::test]
async fn streams_that_are_equally_far_share_bytes() {
    let mut feed = Revoking::new();
    feed.tick(&[revoke(1)]);
    feed.tick(&[revoke(2)]);
    let channel = feed.publications.channel(&Scope::All).unwrap();
    let newest = channel.newest();
    let [one, other] = [(); 2].map(|()| channel.deltas(&newest, at(1), &newest.base.digest).unwrap());
    assert_eq!(one[0].as_ptr(), other[0].as_ptr());
    assert!(channel.deltas(&newest, at(2), &newest.base.digest).unwrap().is_empty());
    assert!(channel.deltas(&newest, at(1), &[0; 32]).is_none());
    assert!(channel.deltas(&newest, Version { generation: 2, ..at(1) }, &newest.base.digest).is_none());
}

/// No message is longer than a watcher takes, and each leads to the next.
#[tokio::test]
async fn much_that_was_missed_comes_in_several_messages() {
    let mut feed = Revoking::new();
    for tick in 0..5 {
        feed.tick(&many(tick * 8000..(tick + 1) * 8000));
    }
    let channel = feed.publications.channel(&Scope::All).unwrap();
    let newest = channel.newest();
    let frames = channel.deltas(&newest, at(0), &newest.base.digest).unwrap();
    assert!(frames.len() > 2, "{}", frames.len());
    let (mut held, mut told) = (to_wire(at(0)), BTreeSet::new());
    for frame in frames.iter() {
        assert!(frame.len() < CHUNK + 1024);
        let message = WatchResponse::decode(&frame[5..]).unwrap().message;
        let Some(Message::Delta(delta)) = message else { panic!("{message:?}") };
        assert_eq!(delta.previous, Some(held));
        held = delta.version.unwrap();
        told.extend(Record::read_all(&delta.revoked).unwrap().map(|record| record.hash));
    }
    assert_eq!((held, told.len()), (to_wire(at(40_000)), 40_000));
}

/// A data plane learns of what can matter to it, and how far all have come.
#[tokio::test]
async fn each_scope_is_told_its_part() {
    let audiences =
        |names: &[&str]| Scope::Audiences(Arc::new(names.iter().map(|name| (*name).to_owned()).collect()));
    let (mesh, edge) = (audiences(&["mesh"]), audiences(&["edge"]));
    let plane = |scope: &Scope| DataPlane {
        name: "x".into(),
        secret_sha256: None,
        certificate: None,
        scope: scope.clone(),
        trusted_egress: false,
    };
    let current = Current::new(state(1));
    let mut revoked = Revoked::nothing(1, 1, [mesh.clone(), edge.clone()]);
    current.revise(Arc::new(revoked.clone()));
    let (publications, _follower) =
        Publications::new(current.clone(), &[plane(&mesh), plane(&edge)]).unwrap();
    let change =
        |byte, audience: Option<&str>| Change { what: revoke(byte), audience: audience.map(Into::into) };
    let tick = Tick {
        reading: 1,
        previous: 0,
        sequence: 3,
        known_at: tokio::time::Instant::now(),
        changes: vec![change(1, Some("mesh")), change(2, None), change(3, Some("other"))],
    };
    revoked.follow(&tick).unwrap();
    current.revise(Arc::new(revoked));
    publications.advance(&Arc::new(tick));
    for (scope, known) in [(&mesh, vec![1, 2]), (&edge, vec![2]), (&Scope::All, vec![1, 2, 3])] {
        let channel = publications.channel(scope).unwrap();
        let newest = channel.newest();
        assert_eq!(newest.version, at(3));
        let known: BTreeSet<[u8; 16]> = known.into_iter().map(|byte| record(byte).hash).collect();
        assert_eq!(records(&channel.records(&newest)), known);
        let frames = channel.deltas(&newest, at(0), &newest.base.digest).unwrap();
        let message = WatchResponse::decode(&frames[0][5..]).unwrap().message;
        let Some(Message::Delta(delta)) = message else { panic!("{message:?}") };
        assert_eq!(records(&[delta.revoked.into()]), known);
        let snapshot = current.load().snapshot_in(scope).unwrap();
        let judged: BTreeSet<[u8; 16]> = snapshot.revocations().iter().map(|record| record.hash).collect();
        assert_eq!((judged, snapshot.version()), (known, at(3)));
    }
}
