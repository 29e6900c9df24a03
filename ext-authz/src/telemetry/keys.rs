//! Metrics of signing keys.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use store::KeyState;

use crate::keys::KeySet;

const KEYS: &str = "writ_signing_keys";
const ROTATES: &str = "writ_key_rotation_due_timestamp_seconds";
const ROTATED: &str = "writ_key_rotations_total";
const FAILED: &str = "writ_key_rotation_failures_total";
const FAILED_AT: &str = "writ_key_rotation_failed_timestamp_seconds";

const STATES: [KeyState; 4] = [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Withdrawn];

/// Describes what is counted, and begins at zero.
pub(super) fn start() {
    describe_gauge!(KEYS, "Signing keys of the store, by state");
    describe_gauge!(ROTATES, "When the key that signs is to be replaced, Unix time; 0: not by itself");
    describe_counter!(ROTATED, "Times that this replica let the next key sign");
    describe_counter!(FAILED, "Attempts to change keys by schedule that failed");
    describe_gauge!(FAILED_AT, "When an attempt to change keys by schedule failed last, Unix time; 0: never");
    counter!(ROTATED).absolute(0);
    counter!(FAILED).absolute(0);
    gauge!(FAILED_AT).set(0);
}

/// The keys, and when the one that signs is to be replaced, Unix seconds.
#[allow(clippy::cast_precision_loss, reason = "counts and Unix seconds are exact in 53 bits")]
pub fn keys_are(set: &KeySet, rotates_at: Option<u64>) {
    for state in STATES {
        gauge!(KEYS, "state" => state.name()).set(set.in_state(state).count() as f64);
    }
    gauge!(ROTATES).set(rotates_at.unwrap_or(0) as f64);
}

/// This replica let the next key sign.
pub fn rotated() {
    counter!(ROTATED).increment(1);
}

/// An attempt failed at this Unix second.
#[allow(clippy::cast_precision_loss, reason = "Unix seconds are exact in 53 bits")]
pub fn rotation_failed(at: u64) {
    counter!(FAILED).increment(1);
    gauge!(FAILED_AT).set(at as f64);
}
