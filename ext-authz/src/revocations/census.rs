//! How many tasks there are: for operators.

use std::time::Duration;

use store::Store;
use tokio::time::{MissedTickBehavior, interval};

use crate::{clock, listen::Shutdown, telemetry::revocations as metrics};

/// Between counts. Each looks at all active tasks.
const INTERVAL: Duration = Duration::from_secs(15);

/// Counts the store's active tasks from time to time, until it is time to stop.
pub async fn count_tasks(store: &Store, mut shutdown: Shutdown) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let counting = async {
        loop {
            ticks.tick().await;
            // A store that cannot be read is told of elsewhere.
            if let Ok(active) = store.active_tasks(clock::now().0).await {
                metrics::active_tasks_are(active);
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.requested() => {}
        () = counting => {}
    }
}
