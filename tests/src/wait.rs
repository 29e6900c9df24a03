//! The one place that waits: for a condition, with a deadline.

use std::{future::Future, time::Duration};

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::error::{Error, Result};

/// How often a condition is looked at.
const TICK: Duration = Duration::from_millis(20);
/// Long enough for a busy two-core machine to compile the filter in Envoy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Polls `condition` until it yields a value; fails with [`Error::TimedOut`] after [`PATIENCE`].
///
/// # Errors
/// `condition`'s own error ends the wait at once.
pub async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let poll = async {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(value) = condition().await? {
                return Ok(value);
            }
        }
    };
    within(PATIENCE, what, poll).await?
}

/// Runs `work` to its end, or fails with [`Error::TimedOut`] after `limit`.
///
/// # Errors
/// [`Error::TimedOut`].
pub async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> Result<T> {
    timeout(limit, work).await.map_err(|_| Error::TimedOut { what: what.to_owned(), limit })
}
