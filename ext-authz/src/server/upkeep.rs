//! What has ended is removed from the store, from time to time.

use std::{sync::Arc, time::Duration};

use audit::ChainKey;
use store::{Pruned, Retention, Store};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{clock::Steady, config::Config, listen::Shutdown, telemetry::audit as metrics};

/// Between two removals. Every replica does them: what one removed, the others do not find.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long what has ended is kept.
pub(super) fn retention(config: &Config) -> Retention {
    Retention { tasks: config.task_retention.as_secs(), audit: config.audit_retention.as_secs() }
}

/// Removes until it is time to stop.
pub(super) async fn keep_small(
    store: Arc<Store>,
    config: Arc<Config>,
    key: ChainKey,
    mut shutdown: Shutdown,
) {
    let (retention, mut clock) = (retention(&config), Steady::begin());
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.requested() => return,
            _ = ticks.tick() => {}
        }
        match store.prune(clock.now().0, retention, &key).await {
            Ok(pruned) => {
                tracing::debug!(?pruned, "removed what has ended");
                tell_suspects(&pruned);
            }
            // Nothing but room is lost.
            Err(error) => tracing::warn!(%error, "what has ended cannot be removed"),
        }
    }
}

/// What somebody changed is left for whoever looks into it, however long that takes.
fn tell_suspects(&Pruned { suspect_chains, .. }: &Pruned) {
    metrics::suspect(suspect_chains);
    if suspect_chains > 0 {
        tracing::error!(
            chains = suspect_chains,
            "audit batches that seem old enough to be removed were changed by somebody without the key: their chains are \
             left as they are. `writ audit verify` tells what is wrong"
        );
    }
}
