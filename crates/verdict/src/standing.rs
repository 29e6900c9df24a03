//! Whether a request that was let through may still go on: streams outlive what they were granted by.

use alloc::{string::String, sync::Arc};

use crate::{Denial, Freshness, Permit, Snapshot, UnixTime, VerifiedToken, decide, revocation::Revocations};

/// What a granted request rests on while it is open.
#[derive(Clone, Debug)]
pub struct Standing {
    token: Arc<VerifiedToken>,
    /// Seconds, as its host said when it was granted.
    max_staleness: u64,
    /// Before this its host only records denials.
    enforced_from: UnixTime,
}

impl Permit {
    /// What the request rests on from now on; `None` where it is no token.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        let granted = self.record()?;
        Some(Standing {
            token: Arc::clone(granted.token()),
            max_staleness: granted.max_staleness,
            enforced_from: granted.enforced_from,
        })
    }
}

impl Standing {
    /// The token.
    #[must_use]
    pub fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// Whether its host began to enforce in the time after `before` and until `now`: what happened to the token before
    /// was only recorded.
    #[must_use]
    pub fn is_enforced_since(&self, before: UnixTime, now: UnixTime) -> bool {
        before < self.enforced_from && self.enforced_from <= now
    }

    /// What only time and keys decide: the snapshot's age, the key's presence, the token's times.
    ///
    /// # Errors
    /// `stale_snapshot`, `unknown_key`, `not_yet_valid` or `expired`: the request must go on no longer.
    pub fn check_current(
        &self,
        snapshot: &Snapshot,
        freshness: Freshness,
        now: UnixTime,
    ) -> Result<(), Denial> {
        if now < self.enforced_from {
            return Ok(());
        }
        decide::check_age(snapshot, self.max_staleness, now, freshness)
            .and_then(|()| self.token.check_current(snapshot, None, now))
            .map_err(|refusal| Denial::new(refusal, Some(String::from(self.token.task()))))
    }

    /// Whether the token or something it rests on is in `revoked`: all that `snapshot` has, or what has come to it.
    ///
    /// # Errors
    /// `revoked`: the request must go on no longer.
    pub fn check_revocation(
        &self,
        snapshot: &Snapshot,
        revoked: &Revocations,
        now: UnixTime,
    ) -> Result<(), Denial> {
        if now < self.enforced_from {
            return Ok(());
        }
        self.token
            .check_revocation(snapshot.hash_key(), revoked, snapshot.min_iat())
            .map_err(|refusal| Denial::new(refusal, Some(String::from(self.token.task()))))
    }
}
