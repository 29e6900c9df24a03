//! Asking the store at once, because a watcher knows of something newer.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// The longest that a watcher is kept waiting for the store.
const PATIENCE: Duration = Duration::from_secs(5);

type Refreshing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Reads the store completely, and makes what it holds count. Where policy is this server's alone there is nothing
/// to ask.
#[derive(Clone)]
pub struct Refresh(Option<Arc<Shared>>);

struct Shared {
    ask: Box<dyn Fn() -> Refreshing + Send + Sync>,
    /// When the last question was asked that has been answered.
    asked: Mutex<Option<Instant>>,
}

impl Refresh {
    /// Nothing to ask.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// `ask` ends when what it found counts, or when it failed; it says so itself.
    #[must_use]
    pub fn new(ask: impl Fn() -> Refreshing + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Shared { ask: Box::new(ask), asked: Mutex::new(None) })))
    }

    /// Returns when the store was asked after this call began, or does not answer. However many watchers want to know,
    /// it is asked once at a time.
    pub(super) async fn now(&self) {
        if let Some(shared) = &self.0
            && timeout(PATIENCE, shared.ask_since(Instant::now())).await.is_err()
        {
            tracing::warn!("the store does not say in time whether it holds a newer version");
        }
    }
}

impl Shared {
    async fn ask_since(&self, wanted: Instant) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked >= wanted) {
            return;
        }
        let begun = Instant::now();
        (self.ask)().await;
        *asked = Some(begun);
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Refresh").field(&self.0.is_some()).finish()
    }
}
