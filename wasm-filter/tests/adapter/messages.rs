//! The feed's messages, held against the generated ones.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};
use prost::Message as _;
use proto::v1;
use verdict::{DenialCode, document::Version};
use wasm_filter::{
    feed::{
        digest::{Digest, Held, MAX_DIGEST},
        messages::{self, CHUNK, Delta, FEATURE, GoAway, Heartbeat, Hello, PROTOCOL, Piece, Response},
        report::{Decision, MAX_BYTES, Report},
    },
    host::UnixMillis,
};

fn version() -> impl Strategy<Value = Version> {
    let number = prop_oneof![0..3_u64, any::<u64>()];
    (number.clone(), number.clone(), number).prop_map(|(epoch, generation, revocation)| Version {
        epoch,
        generation,
        revocation,
    })
}

fn wire(version: Version) -> v1::Version {
    v1::Version { epoch: version.epoch, generation: version.generation, revocation: version.revocation }
}

fn digest() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..=MAX_DIGEST)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..100)
}

fn request(message: &[u8]) -> v1::watch_request::Message {
    v1::WatchRequest::decode(message).expect("a message").message.expect("of a known kind")
}

#[test]
fn both_sides_mean_the_same_protocol() {
    assert_eq!((PROTOCOL, CHUNK), (v1::PROTOCOL.into(), v1::CHUNK));
}

proptest! {
    #[test]
    fn what_goes_up_is_read(held in proptest::option::of((version(), digest())), id in ".{0,200}", cluster in ".{0,5}", reason in ".{0,300}") {
        let (held, digest) = held.unzip();
        let digest = digest.unwrap_or_default();
        let of = held.map(|version| Held { version, digest: Digest::read(&digest).expect("short") });
        let hello = Hello { build: "1.2.3", node: (&id, &cluster), held: of }.encode();
        prop_assert_eq!(request(&hello), v1::watch_request::Message::Hello(v1::Hello {
            protocol: 1,
            build: "1.2.3".into(),
            features: vec![FEATURE.into()],
            node: Some(v1::Node { id, cluster }),
            version: held.map(wire),
            digest,
        }));
        let held = held.unwrap_or_default();
        let version = Some(wire(held));
        prop_assert_eq!(request(&messages::ack(held)), v1::watch_request::Message::Ack(v1::Ack { version }));
        let nack = messages::nack(held, &reason);
        prop_assert_eq!(request(&nack), v1::watch_request::Message::Nack(v1::Nack { version, reason }));
    }

    #[test]
    fn what_comes_down_is_read(
        of in version(),
        as_of_ms in any::<u64>(),
        (chunk, chunks, interval_ms) in (any::<u32>(), any::<u32>(), any::<u32>()),
        part in proptest::collection::vec(any::<u8>(), 0..300),
        requires in proptest::collection::vec(prop_oneof!["[a-z]{1,5}", Just(FEATURE.to_owned())], 0..3),
        (previous, revoked, lifted) in (version(), bytes(), bytes()),
        reason in ".{0,200}",
        digest in digest(),
    ) {
        let version = Some(wire(of));
        let encode = |message| v1::WatchResponse { message: Some(message) }.encode_to_vec();
        let snapshot = encode(v1::watch_response::Message::Snapshot(v1::Snapshot {
            version, requires: requires.clone(), as_of_ms, chunk, chunks, part: part.clone(), digest: digest.clone(),
            revoked: revoked.clone(),
        }));
        let requires_own = requires.clone();
        let requires = requires.iter().rfind(|feature| *feature != FEATURE).map(|feature| feature.as_bytes());
        let (chunk, chunks) = (chunk.into(), chunks.into());
        let piece = Piece { version: of, requires, as_of_ms, chunk, chunks, part: &part, digest: Digest::read(&digest).expect("short"), revoked: &revoked };
        prop_assert_eq!(Response::decode(&snapshot), Ok(Response::Snapshot(piece)));

        let delta = encode(v1::watch_response::Message::Delta(v1::Delta {
            version, previous: Some(wire(previous)), digest: digest.clone(), requires: requires_own, as_of_ms,
            revoked: revoked.clone(), lifted: lifted.clone(),
        }));
        let expected = Delta { version: of, previous, digest: piece.digest, requires, as_of_ms, revoked: &revoked, lifted: &lifted };
        prop_assert_eq!(Response::decode(&delta), Ok(Response::Delta(expected)));

        let heartbeat = v1::Heartbeat { as_of_ms, version, interval_ms, digest };
        let heartbeat = encode(v1::watch_response::Message::Heartbeat(heartbeat));
        let expected = Heartbeat { as_of_ms, version: Some(of), interval_ms: interval_ms.into(), digest: piece.digest };
        prop_assert_eq!(Response::decode(&heartbeat), Ok(Response::Heartbeat(expected)));

        let go_away = v1::GoAway { reconnect_ms: interval_ms, reason: reason.clone() };
        let go_away = encode(v1::watch_response::Message::GoAway(go_away));
        let expected = GoAway { reconnect_ms: interval_ms.into(), reason: reason.as_bytes() };
        prop_assert_eq!(Response::decode(&go_away), Ok(Response::GoAway(expected)));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Response::decode(&bytes);
    }

    #[test]
    fn a_report_holds_what_was_decided(texts in proptest::collection::vec(".{0,150}", 8), at in any::<u64>(), shadow in any::<bool>()) {
        let text = |index: usize| texts[index].as_str();
        let decision = Decision {
            at: UnixMillis(at), shadow, verdict: text(0), host: text(1), action: text(2), resource: text(3), task: text(4),
            agent: text(5), client: text(6), jti: text(7),
        };
        let own = |index: usize| texts[index].clone();
        let expected = v1::Decision {
            at: at / 1000, millis: u32::try_from(at % 1000).unwrap(), shadow, verdict: own(0), host: own(1), action: own(2), resource: own(3), task: own(4),
            agent: own(5), client: own(6), jti: own(7),
        };
        let mut report = Report::default();
        prop_assert!(report.message().is_none());
        for _ in 0..3 {
            report.count();
        }
        prop_assert!(report.add(&decision) && report.add(&decision));
        let v1::watch_request::Message::Report(read) = request(&report.message().expect("something was decided"))
        else { panic!("a report") };
        prop_assert_eq!(read, v1::Report { decisions: vec![expected.clone(), expected], dropped: 0, decided: 3, refused: Vec::new() });
        report.clear();
        prop_assert!(report.message().is_none());
    }

    #[test]
    fn a_report_counts_strangers(refused in proptest::collection::vec((select(DenialCode::ALL), "(a{0,3}|.{0,260})"), 1..30)) {
        let mut report = Report::default();
        let mut model = BTreeMap::new();
        for (code, host) in &refused {
            report.count();
            report.refuse(*code, host);
            *model.entry((code.as_str().to_owned(), host.clone())).or_insert(0) += 1;
        }
        let v1::watch_request::Message::Report(read) = request(&report.message().expect("something was decided"))
        else { panic!("a report") };
        let counts = read.refused.into_iter().map(|v1::Refused { code, host, count }| ((code, host), count));
        prop_assert_eq!(counts.collect::<BTreeMap<_, _>>(), model);
    }
}

#[test]
fn strangers_make_no_report_longer() {
    let mut report = Report::default();
    let codes = DenialCode::ALL;
    for host in 0..10_000 {
        for code in codes {
            report.count();
            report.refuse(*code, &format!("{host}.{}", "x".repeat(240)));
        }
    }
    let message = report.message().expect("something was decided");
    assert!(message.len() < 40 << 10, "{}", message.len());
    let v1::watch_request::Message::Report(read) = request(&message) else { panic!("a report") };
    assert_eq!(read.refused.iter().map(|refused| refused.count).sum::<u64>(), 10_000 * codes.len() as u64);
    report.clear();
    assert!(report.message().is_none());
}

#[test]
fn a_digest_that_is_too_long_is_no_message() {
    let encode = |message| v1::WatchResponse { message: Some(message) }.encode_to_vec();
    for (length, read) in [(MAX_DIGEST, true), (MAX_DIGEST + 1, false), (1000, false)] {
        let digest = vec![7; length];
        let snapshot = v1::Snapshot { digest: digest.clone(), ..v1::Snapshot::default() };
        let heartbeat = v1::Heartbeat { digest, ..v1::Heartbeat::default() };
        for message in [
            v1::watch_response::Message::Snapshot(snapshot),
            v1::watch_response::Message::Heartbeat(heartbeat),
        ] {
            assert_eq!(Response::decode(&encode(message)).is_ok(), read, "{length}");
        }
    }
}

#[test]
fn a_later_release_may_say_more() {
    assert_eq!(Response::decode(&[]), Ok(Response::Unknown));
    // Field 9: a kind of message that nobody knows; and within a heartbeat, fields of every wire type.
    assert_eq!(Response::decode(&[0x4a, 1, 0]), Ok(Response::Unknown));
    let heartbeat = [0x08, 5, 0x48, 1, 0x49, 0, 0, 0, 0, 0, 0, 0, 0, 0x4a, 1, 0, 0x4d, 0, 0, 0, 0];
    let message = [&[0x12, 21][..], &heartbeat].concat();
    let expected = Heartbeat { as_of_ms: 5, ..Heartbeat::default() };
    assert_eq!(Response::decode(&message), Ok(Response::Heartbeat(expected)));
}

#[test]
fn what_ends_too_soon_is_no_message() {
    for bytes in
        [&[0x12][..], &[0x12, 2, 8], &[0x12, 0xff], &[0x0a, 2, 0x32, 5], &[0x0b], &[0x08, 1], &[0xff; 11]]
    {
        assert!(Response::decode(bytes).is_err(), "{bytes:x?}");
    }
}

#[test]
fn a_full_report_counts_what_it_drops() {
    let mut report = Report::default();
    let resource = "x".repeat(1000);
    let decision = Decision { verdict: "allow", resource: &resource, ..Decision::default() };
    let mut dropped = 0;
    for _ in 0..150 {
        report.count();
        dropped += u64::from(!report.add(&decision));
    }
    let message = report.message().expect("decisions");
    assert!(message.len() <= MAX_BYTES + 32 && report.is_half_full());
    let v1::watch_request::Message::Report(read) = request(&message) else { panic!("a report") };
    assert_eq!((read.decided, read.dropped, read.decisions.len() as u64), (150, dropped, 150 - dropped));
    assert!(dropped > 5);
}
