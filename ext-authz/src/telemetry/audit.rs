//! Metrics of the audit log.

use metrics::{counter, describe_counter, describe_gauge, gauge};

const WAITING: &str = "writ_audit_queue_events";
const WAITING_BYTES: &str = "writ_audit_queue_bytes";
const RECORDED: &str = "writ_audit_decisions_recorded_total";
const DROPPED: &str = "writ_audit_decisions_dropped_total";
const FAILED: &str = "writ_audit_failures_total";
const BATCHES: &str = "writ_audit_batches_total";
const EVENTS: &str = "writ_audit_events_total";
const SUSPECT: &str = "writ_audit_suspect_chains_total";
const COMMITTED: &str = "writ_audit_last_commit_timestamp_seconds";

/// Describes what is counted, and begins at zero.
pub(super) fn start() {
    describe_gauge!(WAITING, "Decisions that wait to be written to the audit log");
    describe_gauge!(WAITING_BYTES, "Their bytes");
    describe_counter!(RECORDED, "Decisions and counts of refusals written to the audit log");
    describe_counter!(DROPPED, "Decisions that had no room in memory while they waited");
    describe_counter!(FAILED, "Attempts to write to the audit log that failed and are made again");
    describe_counter!(BATCHES, "Batches of this server's audit chain");
    describe_counter!(EVENTS, "Events in them");
    describe_counter!(SUSPECT, "Times that an audit chain was not pruned, because somebody changed it");
    describe_gauge!(COMMITTED, "When the last of them was committed");
    for total in [RECORDED, DROPPED, FAILED, BATCHES, EVENTS, SUSPECT] {
        counter!(total).absolute(0);
    }
    for now in [WAITING, WAITING_BYTES, COMMITTED] {
        gauge!(now).set(0);
    }
}

/// So much waits.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; the queue is bounded far below 53 bits")]
pub fn waiting(events: u64, bytes: usize) {
    gauge!(WAITING).set(events as f64);
    gauge!(WAITING_BYTES).set(bytes as f64);
}

/// So many decisions are written.
pub fn recorded(events: u64) {
    counter!(RECORDED).increment(events);
}

/// So many had no room.
pub fn dropped(events: u64) {
    counter!(DROPPED).increment(events);
}

/// The store did not take what was to be written.
pub fn failed() {
    counter!(FAILED).increment(1);
}

/// So many chains were left as they are, because somebody changed them.
pub fn suspect(chains: u64) {
    counter!(SUSPECT).increment(chains);
}

/// As the ledger counts: batches and events of all it ever committed, and when the last one was, Unix milliseconds.
#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; milliseconds are exact in 53 bits")]
pub fn committed(batches: u64, events: u64, at_millis: u64) {
    counter!(BATCHES).absolute(batches);
    counter!(EVENTS).absolute(events);
    gauge!(COMMITTED).set(at_millis as f64 / 1000.0);
}
