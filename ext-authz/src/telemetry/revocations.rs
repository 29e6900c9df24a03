//! Metrics of tasks and revocations, and of the store that they are in.

use std::time::Duration;

use metrics::{describe_gauge, describe_histogram, gauge, histogram};

const LIVE: &str = "writ_revocations_live";
const ACTIVE: &str = "writ_tasks_active";
/// Seconds that a read of the store takes.
pub(super) const READ_SECONDS: &str = "writ_store_read_seconds";

/// Describes what is counted.
pub(super) fn start() {
    describe_gauge!(LIVE, "Revocations that stand, by level");
    describe_gauge!(ACTIVE, "Tasks that are active, in the whole store");
    describe_histogram!(READ_SECONDS, "Time that a read of revocations from the store takes");
}

/// So many of a level stand.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts are exact in 53 bits")]
pub fn live_are(level: &'static str, count: u64) {
    gauge!(LIVE, "level" => level).set(count as f64);
}

/// So many tasks are active.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts are exact in 53 bits")]
pub fn active_tasks_are(count: u64) {
    gauge!(ACTIVE).set(count as f64);
}

/// One read.
pub fn store_read(time: Duration) {
    histogram!(READ_SECONDS).record(time);
}
