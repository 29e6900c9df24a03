//! Metrics of tasks and revocations, and of the store that they are in.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use store::{Figures, Timing};

const LIVE: &str = "writ_revocations_live";
const COMMITS: &str = "writ_store_commits_total";
/// Seconds that a transaction of this server takes.
pub(super) const COMMIT_SECONDS: &str = "writ_store_commit_seconds";
/// Seconds that an operation waits for its transaction to begin.
pub(super) const WAIT_SECONDS: &str = "writ_store_wait_seconds";
const OPERATIONS: &str = "writ_store_operations_total";
const FAILURES: &str = "writ_store_commit_failures_total";
const WAITING: &str = "writ_store_operations_waiting";
const ACTIVE: &str = "writ_tasks_active";
/// Seconds that a read of the store takes.
pub(super) const READ_SECONDS: &str = "writ_store_read_seconds";

/// Describes what is counted.
pub(super) fn start() {
    describe_gauge!(LIVE, "Revocations that stand, by level");
    describe_gauge!(ACTIVE, "Tasks that are active, in the whole store");
    describe_counter!(COMMITS, "Transactions that this server committed");
    describe_histogram!(COMMIT_SECONDS, "Time of each, from its first statement to its commit");
    describe_histogram!(WAIT_SECONDS, "Time that an operation waits for its transaction to begin");
    describe_counter!(OPERATIONS, "Operations in them");
    describe_counter!(FAILURES, "Transactions that failed");
    describe_gauge!(WAITING, "Operations that wait to be written");
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

/// How long it takes to write.
pub fn store_took(timing: Timing) {
    match timing {
        Timing::Waited(time) => histogram!(WAIT_SECONDS).record(time),
        Timing::Committed(time) => histogram!(COMMIT_SECONDS).record(time),
    }
}

/// What this server writes.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts are exact in 53 bits")]
pub fn store_writes_are(figures: Figures) {
    counter!(COMMITS).absolute(figures.batches);
    counter!(OPERATIONS).absolute(figures.operations);
    counter!(FAILURES).absolute(figures.failed);
    gauge!(WAITING).set(figures.waiting as f64);
}
