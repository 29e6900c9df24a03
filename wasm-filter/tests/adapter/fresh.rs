//! Documents of one version, and clocks that differ: what is in force, and for how long.

use serde_json::json;
use wasm_filter::{host::Level, root::Root, stream::Flow};

use crate::{
    fake::FakeHost,
    feed::{asks, at_five, fed, hear, heartbeat, heartbeat_of, hello, last_nack, pieces, pieces_of},
    fixture::{NOW, ROOT},
};

const OTHER: &[u8] = &[7; 32];

/// The time by the filter's clock and by the heartbeat's, seconds after [`NOW`], and what becomes of a request.
fn beat(host: &FakeHost, root: &mut Root<FakeHost>, now: u64, as_of: u64) -> Flow {
    host.state_mut().now = NOW + now;
    hear(host, root, 1, heartbeat(5, (NOW + as_of) * 1000));
    asks(host, root)
}

#[test]
fn another_document_of_the_version_held_is_taken() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    for piece in pieces_of(5, OTHER, 3, |document| document["keys"] = json!([])) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(asks(&host, &root), Flow::Pause);
    assert_eq!(host.response().code(), "unknown_key");
    assert_eq!(host.metric("writ.feed.snapshots"), 2);
    // The same again changes nothing.
    for piece in pieces_of(5, OTHER, 1, |_| {}) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(host.metric("writ.feed.snapshots"), 2);

    root.on_close(wasm_filter::host::StreamId(1), 14);
    for _ in 0..3 {
        let nanos = host.state().nanos + 100_000_000;
        host.state_mut().nanos = nanos;
        root.on_tick();
    }
    assert_eq!(hello(&host, 2).digest, OTHER);
}

#[test]
fn news_of_another_document_keep_nothing_fresh() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    host.state_mut().now = NOW + 31;
    for digest in [OTHER, b"", b"a document\0"] {
        hear(&host, &mut root, 1, heartbeat_of(5, digest, (NOW + 31) * 1000));
        assert_eq!(asks(&host, &root), Flow::Pause, "{digest:?}");
    }
    assert_eq!(beat(&host, &mut root, 31, 31), Flow::Continue);
}

#[test]
fn pieces_of_two_documents_are_none() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    hear(&host, &mut root, 1, pieces(6, 2, |_| {})[0].clone());
    hear(&host, &mut root, 1, pieces_of(6, OTHER, 2, |_| {})[1].clone());
    assert_eq!(last_nack(&host, 1), "pieces out of order");
    assert_eq!(host.metric("writ.snapshot.generation"), 5);
}

#[test]
fn a_clock_too_far_ahead_keeps_nothing_fresh() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    // It has read its store once, an hour ahead; then with every heartbeat.
    for now in 0..=30 {
        assert_eq!(beat(&host, &mut root, now, 3_600), Flow::Continue);
        assert_eq!(beat(&host, &mut root, now, now + 6), Flow::Continue);
    }
    assert_eq!(beat(&host, &mut root, 31, 3_600), Flow::Pause);
    assert_eq!(beat(&host, &mut root, 31, 37), Flow::Pause);
    let complaints = || {
        let state = host.state();
        state
            .log
            .iter()
            .filter(|(level, line)| *level == Level::Error && line.contains("clocks differ"))
            .count()
    };
    assert_eq!(complaints(), 1);
    // Set right, and wrong again.
    assert_eq!(beat(&host, &mut root, 31, 31), Flow::Continue);
    assert_eq!(beat(&host, &mut root, 32, 38), Flow::Continue);
    assert_eq!(complaints(), 2);
}

#[test]
fn a_clock_a_little_ahead_prolongs_nothing() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    // The store is read for the last time at 10, by a clock 5 s ahead; the heartbeats go on.
    for now in 10..=40 {
        assert_eq!(beat(&host, &mut root, now, 15), Flow::Continue, "{now}");
    }
    assert_eq!(beat(&host, &mut root, 41, 15), Flow::Pause);
    assert_eq!(beat(&host, &mut root, 41, 16), Flow::Continue, "16 is 25 s old");
}

#[test]
fn a_clock_that_is_set_back_prolongs_nothing() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    assert_eq!(beat(&host, &mut root, 200, 200), Flow::Continue);
    for now in 0..=30 {
        assert_eq!(beat(&host, &mut root, now, 200), Flow::Continue);
    }
    assert_eq!(beat(&host, &mut root, 31, 200), Flow::Pause);
}

#[test]
fn a_first_snapshot_from_the_future_judges_nothing() {
    let host = FakeHost::new();
    host.state_mut().now = NOW - 6;
    let mut root = fed(&host, ROOT);
    for piece in pieces(5, 1, |_| {}) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(asks(&host, &root), Flow::Pause);
    assert_eq!(host.response().code(), "stale_snapshot");
}

#[test]
fn a_floor_that_another_worker_has_raised_meanwhile_stays() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let raised = host.state().shared.clone();
    drop(root);
    // This one reads before the other writes.
    let late = FakeHost::new();
    late.state_mut().late_shared = Some(raised);
    let mut root = fed(&late, ROOT);
    for piece in pieces(4, 1, |_| {}) {
        hear(&late, &mut root, 1, piece);
    }
    assert_eq!(last_nack(&late, 1), "older than 2.5.9, which this Envoy has held");
}
