//! What is learnt of callers that are no operator.

use crate::telemetry::{
    metrics,
    quiet::{QUIET, Quiet},
};

static SAID: Quiet = Quiet::new();

/// Counts one, and says so from time to time: it may be an operator with an old secret, or somebody who tries.
pub(super) fn note() {
    metrics::operator_refused();
    if SAID.is_over() {
        tracing::warn!("refused a caller that is no operator; others within {QUIET} s are only counted");
    }
}
