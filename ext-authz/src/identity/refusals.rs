//! What operators learn of callers that are no data plane.

use std::sync::atomic::{AtomicU64, Ordering};

use super::NotADataPlane;
use crate::{clock, telemetry::metrics};

/// Seconds between two lines of the log: strangers call as often as they like.
const QUIET: u64 = 10;

/// When it was last said, Unix seconds.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Counts a caller of `service` that was refused, and says so from time to time: a data plane with an old secret looks
/// like any stranger, and whoever runs it looks here.
pub(super) fn note(service: &'static str, why: &NotADataPlane) {
    metrics::data_plane_refused(service);
    let now = clock::now().0;
    let last = LAST.load(Ordering::Relaxed);
    let is_due = now >= last.saturating_add(QUIET)
        && LAST.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if is_due {
        tracing::warn!(service, reason = %why, "refused a caller that is no data plane; others within {QUIET} s are only counted");
    }
}
