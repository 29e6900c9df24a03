//! Being told by the database that somebody committed.

use std::{sync::Arc, time::Duration};

use store::{Changed, StoreLocation};
use tokio::{sync::Notify, time::sleep};

/// Between attempts to listen, where the database is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells `wake` of each hint, and whenever one may have been missed. Ends where the database tells nothing.
pub(super) async fn follow(location: StoreLocation, wake: Arc<Notify>) {
    loop {
        match Changed::listen(&location).await {
            Ok(None) => return,
            Ok(Some(mut changed)) => {
                wake.notify_one();
                while changed.wait().await.is_ok() {
                    wake.notify_one();
                }
                wake.notify_one();
            }
            // The reads of the store say so.
            Err(error) => tracing::debug!(%error, "the store does not tell of changes"),
        }
        sleep(PAUSE).await;
    }
}
