//! Argon2id checks: slow on purpose, so bounded in number and kept off the threads that serve requests.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

/// Checks that run at a time. Each takes a core and up to 64 MiB.
const RUNNING: usize = 2;
/// Checks that run or wait. More than these are turned away: strangers can ask for them.
const QUEUED: usize = 32;

/// Runs password checks.
#[derive(Clone, Debug)]
pub(super) struct PasswordChecks {
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
}

/// Too many checks wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl PasswordChecks {
    pub(super) fn new() -> Self {
        Self { running: Arc::new(Semaphore::new(RUNNING)), queued: Arc::new(Semaphore::new(QUEUED)) }
    }

    /// Whether `secret` is the one that `hash`, a PHC string, was made of.
    pub(super) async fn verify(&self, hash: &str, secret: &str) -> Result<bool, Busy> {
        let _place = self.queued.try_acquire().map_err(|_| Busy)?;
        // Neither semaphore is ever closed. The permit moves into the thread: a caller that goes away does not
        // end the work, and must not make room for more of it.
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Busy)?;
        let (hash, secret) = (hash.to_owned(), secret.to_owned());
        let check = move || {
            let _permit = permit;
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
        };
        tokio::task::spawn_blocking(check).await.map_err(|_| Busy)
    }
}
