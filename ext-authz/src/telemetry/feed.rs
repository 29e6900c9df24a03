//! Metrics of the feed. Data planes are named as in the configuration.

use std::{sync::Arc, time::Duration};

use metrics::{Counter, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use verdict::DenialCode;

const STREAMS: &str = "writ_feed_streams";
const ACKS: &str = "writ_feed_acks_total";
const NACKS: &str = "writ_feed_nacks_total";
const LAG: &str = "writ_feed_generations_behind";
const SNAPSHOTS: &str = "writ_feed_snapshots_total";
const SNAPSHOT_BYTES: &str = "writ_feed_snapshot_bytes_total";
const DELTAS: &str = "writ_feed_deltas_total";
const DELTA_BYTES: &str = "writ_feed_delta_bytes_total";
const RESYNCS: &str = "writ_feed_resyncs_total";
const REVOCATION_LAG: &str = "writ_feed_revocations_behind";
const HEARTBEATS: &str = "writ_feed_heartbeats_total";
const REPORTS: &str = "writ_feed_reports_total";
const DECISIONS: &str = "writ_feed_decisions_total";
const DECIDED: &str = "writ_feed_decided_total";
const DROPPED: &str = "writ_feed_decisions_dropped_total";
/// Seconds from the publication of a version to its acknowledgement.
pub(super) const ACK_SECONDS: &str = "writ_feed_ack_seconds";
/// Seconds from a revocation to the acknowledgement of the last watcher.
pub(super) const REVOCATION_ACK_SECONDS: &str = "writ_revocation_ack_seconds";
/// Upper bounds of their buckets.
pub(super) const ACK_BUCKETS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

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
    describe_counter!(DELTAS, "Messages sent that say what was revoked and lifted");
    describe_counter!(DELTA_BYTES, "Bytes of them");
    describe_counter!(RESYNCS, "Snapshots sent because a watcher was too far behind");
    describe_gauge!(REVOCATION_LAG, "Revocations that the watcher with the oldest is behind, by data plane");
    describe_histogram!(
        REVOCATION_ACK_SECONDS,
        "Time from when this server learned of a revocation until the last watcher has acknowledged it"
    );
    describe_counter!(HEARTBEATS, "Heartbeats sent");
    describe_counter!(REPORTS, "Reports of watchers");
    describe_counter!(DECISIONS, "Decisions reported, by verdict");
    describe_counter!(DECIDED, "Requests that watchers judged");
    describe_counter!(DROPPED, "Decisions that watchers did not report");
    describe_histogram!(ACK_SECONDS, "Time from a publication to its acknowledgement by a watcher");
    for total in
        [SNAPSHOTS, SNAPSHOT_BYTES, DELTAS, DELTA_BYTES, RESYNCS, HEARTBEATS, REPORTS, DECIDED, DROPPED]
    {
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

/// Counts versions that watchers of one data plane took: many, so that they do not look for the counter each time.
pub fn acks(data_plane: &Arc<str>) -> Counter {
    counter!(ACKS, "data_plane" => Arc::clone(data_plane))
}

/// A snapshot was taken so long after it was published, by a stream that was open then.
pub fn snapshot_acked(delay: Duration) {
    histogram!(ACK_SECONDS).record(delay);
}

/// The last watcher took a revocation so long after this server learned of it.
pub fn revocation_acked(delay: Duration) {
    histogram!(REVOCATION_ACK_SECONDS).record(delay);
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

/// So many deltas go out, of so many bytes together.
pub fn deltas_sent(count: usize, bytes: usize) {
    counter!(DELTAS).increment(count as u64);
    counter!(DELTA_BYTES).increment(bytes as u64);
}

/// A stream was so far behind that it gets a snapshot.
pub fn resynchronised() {
    counter!(RESYNCS).increment(1);
}

/// How many revocations behind the oldest watcher of a data plane is.
#[allow(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; differences of sequences are exact in 53 bits"
)]
pub fn revocation_lag_is(data_plane: &Arc<str>, revocations: u64) {
    gauge!(REVOCATION_LAG, "data_plane" => Arc::clone(data_plane)).set(revocations as f64);
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
