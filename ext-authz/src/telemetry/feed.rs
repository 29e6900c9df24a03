//! Metrics of the feed. Data planes are named as in the configuration.

use std::{sync::Arc, time::Duration};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use verdict::DenialCode;

const STREAMS: &str = "writ_feed_streams";
const ACKS: &str = "writ_feed_acks_total";
const NACKS: &str = "writ_feed_nacks_total";
const LAG: &str = "writ_feed_generations_behind";
const SNAPSHOTS: &str = "writ_feed_snapshots_total";
const SNAPSHOT_BYTES: &str = "writ_feed_snapshot_bytes_total";
const HEARTBEATS: &str = "writ_feed_heartbeats_total";
const REPORTS: &str = "writ_feed_reports_total";
const DECISIONS: &str = "writ_feed_decisions_total";
const DECIDED: &str = "writ_feed_decided_total";
const DROPPED: &str = "writ_feed_decisions_dropped_total";
/// Seconds from the publication of a version to its acknowledgement.
pub(super) const ACK_SECONDS: &str = "writ_feed_ack_seconds";
/// Upper bounds of its buckets.
pub(super) const ACK_BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

const ALLOWED: &str = "allow";
/// What a later release than this one decided.
const OTHER: &str = "other";

/// Describes what is counted, and begins at zero.
pub(super) fn start() {
    describe_gauge!(STREAMS, "Streams that follow the feed, by data plane");
    describe_counter!(ACKS, "Versions that watchers took, by data plane");
    describe_counter!(NACKS, "Versions that watchers refused, by data plane");
    describe_gauge!(LAG, "Generations that the watcher with the oldest is behind");
    describe_counter!(SNAPSHOTS, "Snapshots sent");
    describe_counter!(SNAPSHOT_BYTES, "Bytes of snapshots sent");
    describe_counter!(HEARTBEATS, "Heartbeats sent");
    describe_counter!(REPORTS, "Reports of watchers");
    describe_counter!(DECISIONS, "Decisions reported, by verdict");
    describe_counter!(DECIDED, "Requests that watchers judged");
    describe_counter!(DROPPED, "Decisions that watchers did not report");
    describe_histogram!(ACK_SECONDS, "Time from a publication to its acknowledgement by a watcher");
    for total in [SNAPSHOTS, SNAPSHOT_BYTES, HEARTBEATS, REPORTS, DECIDED, DROPPED] {
        counter!(total).absolute(0);
    }
    gauge!(LAG).set(0);
    for verdict in DenialCode::ALL.iter().map(|code| code.as_str()).chain([ALLOWED, OTHER]) {
        counter!(DECISIONS, "verdict" => verdict).absolute(0);
    }
}

/// A stream opened; it is counted until the guard is dropped.
#[must_use]
pub fn stream_opened(data_plane: &Arc<str>) -> OpenStream {
    gauge!(STREAMS, "data_plane" => Arc::clone(data_plane)).increment(1);
    OpenStream(Arc::clone(data_plane))
}

/// See [`stream_opened`].
#[derive(Debug)]
pub struct OpenStream(Arc<str>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!(STREAMS, "data_plane" => Arc::clone(&self.0)).decrement(1);
    }
}

/// A version was taken; `delay` after its publication, if the stream was open then.
pub fn acked(data_plane: &Arc<str>, delay: Option<Duration>) {
    counter!(ACKS, "data_plane" => Arc::clone(data_plane)).increment(1);
    if let Some(delay) = delay {
        histogram!(ACK_SECONDS).record(delay);
    }
}

/// A version was refused.
pub fn nacked(data_plane: &Arc<str>) {
    counter!(NACKS, "data_plane" => Arc::clone(data_plane)).increment(1);
}

/// How far behind the oldest is.
#[allow(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; differences of generations are exact in 53 bits"
)]
pub fn lag_is(generations: u64) {
    gauge!(LAG).set(generations as f64);
}

/// A snapshot of so many bytes goes out.
pub fn snapshot_sent(bytes: usize) {
    counter!(SNAPSHOTS).increment(1);
    counter!(SNAPSHOT_BYTES).increment(bytes as u64);
}

/// A heartbeat goes out.
pub fn heartbeat_sent() {
    counter!(HEARTBEATS).increment(1);
}

/// A verdict as it is counted: a watcher's text must not make series.
#[must_use]
pub fn known_verdict(verdict: &str) -> &'static str {
    let known = DenialCode::ALL.iter().map(|code| code.as_str()).chain([ALLOWED]);
    known.into_iter().find(|known| *known == verdict).unwrap_or(OTHER)
}

/// So many decisions of a [`known_verdict`] in a report.
pub fn decisions_reported(verdict: &'static str, count: u64) {
    counter!(DECISIONS, "verdict" => verdict).increment(count);
}

/// A report.
pub fn reported(decided: u64, dropped: u64) {
    counter!(REPORTS).increment(1);
    counter!(DECIDED).increment(decided);
    counter!(DROPPED).increment(dropped);
}
