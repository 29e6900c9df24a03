//! What operators learn of callers that are no data plane.

use super::NotADataPlane;
use crate::telemetry::{
    metrics,
    quiet::{QUIET, Quiet},
};

static SAID: Quiet = Quiet::new();

/// Counts a caller of `service` that was refused, and says so from time to time: a data plane with an old secret looks
/// like any stranger, and whoever runs it looks here.
pub(super) fn note(service: &'static str, why: &NotADataPlane) {
    metrics::data_plane_refused(service);
    if SAID.is_over() {
        tracing::warn!(service, reason = %why, "refused a caller that is no data plane; others within {QUIET} s are only counted");
    }
}
