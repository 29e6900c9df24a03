//! The feed, callback by callback: what is taken, what is refused, when the next stream is opened.

use prost::Message as _;
use proto::v1::{self, watch_request, watch_response};
use serde_json::{Value, json};
use wasm_filter::{
    host::{ContextId, StreamId},
    root::Root,
    stream::Flow,
};

use crate::{
    fake::FakeHost,
    fixture::{NOW, ROOT, request, snapshot, stream, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";
/// What is done to a document.
type Change = fn(&mut Value);

pub(crate) const DIGEST: &[u8] = b"a document";

const SECRET: &str = "Bearer of-the-data-plane";

pub(crate) fn feed_configuration() -> Vec<u8> {
    let metadata = json!({"authorization": SECRET});
    json!({"feed": {"cluster": "writ", "authority": "writ.example", "metadata": metadata}})
        .to_string()
        .into_bytes()
}

/// A root with a feed, its first stream opened.
pub(crate) fn fed(host: &FakeHost, context: ContextId) -> Root<FakeHost> {
    let mut root = Root::new(host.clone(), context);
    assert!(root.configure(&feed_configuration()), "{:?}", host.state().log);
    root.on_tick();
    root
}

/// Hands over a message on a stream.
pub(crate) fn hear(host: &FakeHost, root: &mut Root<FakeHost>, stream: u32, message: Vec<u8>) {
    let size = message.len();
    host.state_mut().message = message;
    root.on_message(StreamId(stream), size);
}

pub(crate) fn version(generation: u64) -> v1::Version {
    v1::Version { epoch: 2, generation, revocation: 9 }
}

fn encode(message: watch_response::Message) -> Vec<u8> {
    v1::WatchResponse { message: Some(message) }.encode_to_vec()
}

/// The snapshot at a generation, in so many pieces.
pub(crate) fn pieces(generation: u64, chunks: u32, change: impl Fn(&mut Value)) -> Vec<Vec<u8>> {
    pieces_of(generation, DIGEST, chunks, change)
}

/// Another document of the same version has another digest.
pub(crate) fn pieces_of(
    generation: u64,
    digest: &[u8],
    chunks: u32,
    change: impl Fn(&mut Value),
) -> Vec<Vec<u8>> {
    let mut document = snapshot();
    document["version"]["generation"] = json!(generation);
    change(&mut document);
    let text = document.to_string().into_bytes();
    let size = text.len().div_ceil(chunks as usize);
    let parts = text.chunks(size).zip(0..);
    let piece = |(part, chunk): (&[u8], u32)| {
        encode(watch_response::Message::Snapshot(v1::Snapshot {
            version: Some(version(generation)),
            requires: vec!["bodies".to_owned()],
            as_of_ms: NOW * 1000,
            chunk,
            chunks,
            part: part.to_vec(),
            digest: digest.to_vec(),
            revoked: Vec::new(),
        }))
    };
    parts.map(piece).collect()
}

pub(crate) fn heartbeat(generation: u64, as_of_ms: u64) -> Vec<u8> {
    heartbeat_of(generation, DIGEST, as_of_ms)
}

pub(crate) fn heartbeat_of(generation: u64, digest: &[u8], as_of_ms: u64) -> Vec<u8> {
    let (version, digest) = (Some(version(generation)), digest.to_vec());
    encode(watch_response::Message::Heartbeat(v1::Heartbeat {
        as_of_ms,
        version,
        interval_ms: 1_000,
        digest,
    }))
}

/// What was sent on a stream.
pub(crate) fn said(host: &FakeHost, stream: u32) -> Vec<watch_request::Message> {
    let sent = host.state().sent.clone();
    let own = sent.into_iter().filter(|(of, _)| *of == stream);
    own.map(|(_, message)| v1::WatchRequest::decode(message.as_slice()).unwrap().message.unwrap()).collect()
}

/// The first message on a stream.
pub(crate) fn hello(host: &FakeHost, stream: u32) -> v1::Hello {
    match said(host, stream).into_iter().next() {
        Some(watch_request::Message::Hello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn last_nack(host: &FakeHost, stream: u32) -> String {
    match said(host, stream).pop() {
        Some(watch_request::Message::Nack(nack)) => nack.reason,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn asks(host: &FakeHost, root: &Root<FakeHost>) -> Flow {
    let token = token(json!({}));
    stream(host, root, request("GET", PATH, Some(&token))).on_request_headers(true)
}

/// A root that judges by generation 5.
pub(crate) fn at_five(host: &FakeHost) -> Root<FakeHost> {
    let mut root = fed(host, ROOT);
    for piece in pieces(5, 3, |_| {}) {
        hear(host, &mut root, 1, piece);
    }
    assert_eq!(asks(host, &root), Flow::Continue);
    root
}

/// Lets time pass, in ticks of 100 ms.
pub(crate) fn pass(host: &FakeHost, root: &mut Root<FakeHost>, milliseconds: u64) {
    for _ in 0..milliseconds / 100 {
        let nanos = host.state().nanos + 100_000_000;
        host.state_mut().nanos = nanos;
        root.on_tick();
    }
}

#[test]
fn a_stream_is_opened_with_the_first_tick() {
    let host = FakeHost::new();
    let mut root = Root::new(host.clone(), ROOT);
    host.state_mut().attributes.insert("xds.node.id".into(), b"envoy-1".to_vec());
    assert!(root.configure(&feed_configuration()));
    assert!(host.state().opened.is_empty());

    root.on_tick();
    let opened = host.state().opened[0].clone();
    assert_eq!(opened.upstream, b"\x0a\x06\x0a\x04writ\x0a\x0e\x12\x0cwrit.example");
    assert_eq!(opened.method, "writ.v1.DataPlane/Watch");
    assert_eq!(opened.metadata, [("authorization".to_owned(), SECRET.as_bytes().to_vec())]);
    let hello = hello(&host, 1);
    assert_eq!((hello.protocol, hello.version, hello.node.unwrap().id.as_str()), (1, None, "envoy-1"));
}

#[test]
fn a_snapshot_in_pieces_is_taken_whole() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let pieces = pieces(5, 3, |_| {});
    for piece in &pieces[..2] {
        hear(&host, &mut root, 1, piece.clone());
        assert_eq!(said(&host, 1).len(), 1);
    }
    hear(&host, &mut root, 1, pieces[2].clone());
    let ack = watch_request::Message::Ack(v1::Ack { version: Some(version(5)) });
    assert_eq!(said(&host, 1).pop(), Some(ack));
    assert_eq!(host.metric("writ.snapshot.generation"), 5);
    assert_eq!(host.metric("writ.feed.connected"), 1);
    assert_eq!(host.state().tick, Some(1_000));
}

#[test]
fn pieces_out_of_order_end_the_stream_and_change_nothing() {
    let all = pieces(6, 4, |_| {});
    let other = pieces(7, 4, |_| {});
    let orders: [Vec<&Vec<u8>>; 5] = [
        vec![&all[1]],
        vec![&all[0], &all[0]],
        vec![&all[0], &all[2]],
        vec![&all[0], &other[1]],
        vec![&all[0], &all[1], &other[0]],
    ];
    for order in orders {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        for piece in order {
            hear(&host, &mut root, 1, piece.clone());
        }
        assert_eq!(last_nack(&host, 1), "pieces out of order");
        assert_eq!(asks(&host, &root), Flow::Continue);
        // Nothing more is taken from it.
        for piece in &other {
            hear(&host, &mut root, 1, piece.clone());
        }
        assert_eq!(host.metric("writ.snapshot.generation"), 5);
        root.on_tick();
        assert_eq!(host.state().cancelled, [1]);
        assert_eq!(host.metric("writ.feed.connected"), 0);
        pass(&host, &mut root, 200);
        assert_eq!(host.state().opened.len(), 2);
    }
}

#[test]
fn a_heartbeat_between_pieces_is_none_of_them() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    for piece in pieces(5, 3, |_| {}) {
        hear(&host, &mut root, 1, heartbeat(4, NOW * 1000));
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(asks(&host, &root), Flow::Continue);
}

#[test]
fn what_does_not_compile_is_refused_with_its_reason() {
    let cases: [(Change, &str); 4] = [
        (|document| document["format"] = json!(2), "format 2"),
        (|document| document["requires"] = json!(["limits"]), "`limits`"),
        (|document| document["open"] = json!(true), "unknown field `open`"),
        (|document| document["version"]["generation"] = json!(7), "another version"),
    ];
    for (change, reason) in cases {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        for piece in pieces(6, 2, change) {
            hear(&host, &mut root, 1, piece);
        }
        let nack = last_nack(&host, 1);
        assert!(nack.contains(reason), "{nack}");
        assert_eq!(asks(&host, &root), Flow::Continue);
        // The stream stays, and the next one is taken.
        for piece in pieces(8, 2, |_| {}) {
            hear(&host, &mut root, 1, piece);
        }
        assert_eq!(host.metric("writ.snapshot.generation"), 8);
    }
}

#[test]
fn nothing_older_is_taken() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    for piece in pieces(4, 1, |_| {}) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(last_nack(&host, 1), "older than 2.5.9, which this Envoy has held");
    drop(root);

    // Nor by a machine that knows nothing of it but what the workers share.
    let fresh = FakeHost::new();
    fresh.state_mut().shared = host.state().shared.clone();
    let mut root = fed(&fresh, ROOT);
    for piece in pieces(4, 1, |_| {}) {
        hear(&fresh, &mut root, 1, piece);
    }
    assert_eq!(last_nack(&fresh, 1), "older than 2.5.9, which this Envoy has held");
    pass(&fresh, &mut root, 200);
    for piece in pieces(5, 1, |_| {}) {
        hear(&fresh, &mut root, 2, piece);
    }
    assert_eq!(asks(&fresh, &root), Flow::Continue);
}

#[test]
fn only_news_of_the_version_held_keep_it_fresh() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    host.state_mut().now = NOW + 31;
    assert_eq!(asks(&host, &root), Flow::Pause);
    assert_eq!(host.response().code(), "stale_snapshot");

    hear(&host, &mut root, 1, heartbeat(6, (NOW + 31) * 1000));
    assert_eq!(asks(&host, &root), Flow::Pause);
    hear(&host, &mut root, 1, heartbeat(5, (NOW + 31) * 1000));
    assert_eq!(asks(&host, &root), Flow::Continue);

    // A sender whose clock is ahead keeps nothing fresh for longer.
    hear(&host, &mut root, 1, heartbeat(5, (NOW + 1_000) * 1000));
    host.state_mut().now = NOW + 62;
    assert_eq!(asks(&host, &root), Flow::Pause);
    // Nor does one that has not read its store since.
    hear(&host, &mut root, 1, heartbeat(5, (NOW + 31) * 1000));
    assert_eq!(asks(&host, &root), Flow::Pause);
}

#[test]
fn a_silent_server_is_left() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    hear(&host, &mut root, 1, heartbeat(5, NOW * 1000));
    pass(&host, &mut root, 2_900);
    assert_eq!(host.state().opened.len(), 1);
    pass(&host, &mut root, 400);
    assert_eq!((host.state().opened.len(), host.state().cancelled.as_slice()), (2, &[1][..]));
    let hello = hello(&host, 2);
    assert_eq!(hello.version, Some(version(5)));
}

#[test]
fn what_is_no_message_ends_the_stream() {
    for message in [vec![0x12], vec![0; 512 << 10]] {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        hear(&host, &mut root, 1, message);
        hear(&host, &mut root, 1, heartbeat(5, NOW * 1000));
        root.on_tick();
        assert_eq!(host.state().cancelled, [1]);
        assert_eq!(asks(&host, &root), Flow::Continue);
    }
}

#[test]
fn attempts_become_rare() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    host.state_mut().failing.insert("open_stream");
    root.on_close(StreamId(1), 14);
    pass(&host, &mut root, 120_000);
    let failures = host.metric("writ.feed.closed");
    // At most every 5 s, 2.5 s on average.
    assert!((20..100).contains(&failures), "{failures}");
    let complaints =
        host.state().log.iter().filter(|(level, _)| *level == wasm_filter::host::Level::Error).count();
    assert_eq!(complaints, 1, "{:?}", host.state().log);
}

#[test]
fn another_root_goes_on_where_one_was() {
    let host = FakeHost::new();
    let mut old = at_five(&host);
    let mut new = fed(&host, ContextId(7));
    assert_eq!(asks(&host, &new), Flow::Continue);
    assert_eq!(host.metric("writ.token_cache.miss"), 1, "and so does the memory of proofs");
    let hello = hello(&host, 2);
    assert_eq!(hello.version, Some(version(5)));

    old.on_tick();
    assert_eq!(host.state().cancelled, [1]);
    hear(&host, &mut new, 2, heartbeat(5, NOW * 1000));
    assert_eq!(host.metric("writ.feed.connected"), 1);
    for piece in pieces(6, 1, |document| document["hosts"] = json!([])) {
        hear(&host, &mut new, 2, piece);
    }
    assert_eq!(asks(&host, &old), Flow::Pause, "one feed, one snapshot");

    // The last one configured goes first: whoever is still there goes on.
    drop(new);
    assert_eq!(host.state().cancelled, [1, 2]);
    pass(&host, &mut old, 200);
    assert_eq!(host.state().opened.len(), 3);
}

#[test]
fn another_feed_section_begins_anew() {
    let host = FakeHost::new();
    let _old = at_five(&host);
    let mut new = Root::new(host.clone(), ContextId(7));
    let configuration =
        String::from_utf8(feed_configuration()).unwrap().replace("writ.example", "other.example");
    assert!(new.configure(configuration.as_bytes()));
    assert_eq!(asks(&host, &new), Flow::Pause);
}

#[test]
fn proofs_end_with_the_keys_they_were_made_under() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    for (generation, misses, change) in [
        (6, 1, (|_| {}) as Change),
        (7, 2, |document| document["hash_key"] = json!("AgICAgICAgICAgICAgICAg")),
    ] {
        for piece in pieces(generation, 1, change) {
            hear(&host, &mut root, 1, piece);
        }
        assert_eq!(asks(&host, &root), Flow::Continue);
        assert_eq!(host.metric("writ.token_cache.miss"), misses);
    }
    for piece in pieces(8, 1, |document| document["keys"] = json!([])) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(asks(&host, &root), Flow::Pause);
    assert_eq!(host.response().code(), "unknown_key");
}

#[test]
fn nothing_prints_the_secret() {
    let host = FakeHost::new();
    let root = at_five(&host);
    assert!(!format!("{root:?}").contains("of-the-data-plane"));
    for metadata in [json!(SECRET), json!([SECRET]), json!({"authorization": [SECRET]}), json!({SECRET: "x"})]
    {
        let host = FakeHost::new();
        let configuration = json!({"feed": {"cluster": "a", "authority": "b", "metadata": metadata}});
        assert!(!Root::new(host.clone(), ROOT).configure(configuration.to_string().as_bytes()));
        assert!(host.state().log.iter().all(|(_, line)| !line.contains("of-the-data-plane")), "{metadata}");
    }
}

#[test]
fn a_feed_that_cannot_be_opened_is_refused() {
    let long = "x".repeat(121);
    let feeds = [
        json!("writ"),
        json!({"cluster": "writ"}),
        json!({"cluster": "", "authority": "writ"}),
        json!({"cluster": "writ", "authority": long}),
        json!({"cluster": "w\u{e9}", "authority": "writ"}),
        json!({"cluster": "writ", "authority": "writ", "mode": "open"}),
        json!({"cluster": "writ", "authority": "writ", "metadata": {"Authorization": "x"}}),
        json!({"cluster": "writ", "authority": "writ", "metadata": {":path": "x"}}),
        json!({"cluster": "writ", "authority": "writ", "metadata": {"a": "x\r\ny: z"}}),
    ];
    for feed in feeds {
        let host = FakeHost::new();
        let configuration = json!({ "feed": feed });
        assert!(!Root::new(host.clone(), ROOT).configure(configuration.to_string().as_bytes()), "{feed}");
    }
    let host = FakeHost::new();
    let both = json!({"feed": {"cluster": "a", "authority": "b"}, "snapshot": snapshot()});
    assert!(!Root::new(host.clone(), ROOT).configure(both.to_string().as_bytes()));
    assert!(host.state().log[0].1.contains("exactly one"));
    assert!(Root::new(host, ROOT).configure(
        json!({"feed": {"cluster": "x".repeat(120), "authority": "x".repeat(120)}}).to_string().as_bytes()
    ));
}
