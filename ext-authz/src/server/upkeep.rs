//! What has ended is removed from the store, from time to time.

use std::{sync::Arc, time::Duration};

use audit::ChainKey;
use store::{Retention, Store};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{clock, config::Config, listen::Shutdown};

/// Between two removals. Every replica does them: what one removed, the others do not find.
const INTERVAL: Duration = Duration::from_secs(60);

/// Removes until it is time to stop.
pub(super) async fn keep_small(
    store: Arc<Store>,
    config: Arc<Config>,
    key: ChainKey,
    mut shutdown: Shutdown,
) {
    let retention =
        Retention { tasks: config.task_retention.as_secs(), audit: config.audit_retention.as_secs() };
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.requested() => return,
            _ = ticks.tick() => {}
        }
        match store.prune(clock::now().0, retention, &key).await {
            Ok(pruned) => tracing::debug!(?pruned, "removed what has ended"),
            // Nothing but room is lost.
            Err(error) => tracing::warn!(%error, "what has ended cannot be removed"),
        }
    }
}
