//! Whether a request that was let through may still go on: streams outlive what they were granted by.

use alloc::{string::String, sync::Arc};

use crate::{
    Denial, DenialCode, Freshness, Permit, Snapshot, UnixTime, VerifiedToken, decide, denial::Refusal,
    revocation::Revocations,
};

/// What a request rests on while it is open.
#[derive(Clone, Debug)]
pub struct Standing {
    basis: Basis,
    /// Seconds, as its host said when it was granted.
    max_staleness: u64,
    /// Before this its host only records denials.
    enforced_from: UnixTime,
}

#[derive(Clone, Debug)]
enum Basis {
    /// A grant of this token.
    Token(Arc<VerifiedToken>),
    /// That its host did not enforce yet. No more is kept of the denial: strangers may have many such requests.
    Shadow(DenialCode),
}

impl Permit {
    /// What the request rests on from now on; `None` where nothing ends it.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        if let Some((denial, enforced_from)) = self.shadow() {
            return Some(Standing { basis: Basis::Shadow(denial.code()), max_staleness: 0, enforced_from });
        }
        let granted = self.record()?;
        Some(Standing {
            basis: Basis::Token(Arc::clone(granted.token())),
            max_staleness: granted.max_staleness,
            enforced_from: granted.enforced_from,
        })
    }
}

impl Standing {
    /// The token; `None` where none granted the request.
    #[must_use]
    pub fn token(&self) -> Option<&VerifiedToken> {
        match &self.basis {
            Basis::Token(token) => Some(token),
            Basis::Shadow(_) => None,
        }
    }

    /// Whether its host began to enforce in the time after `before` and until `now`: what happened to the token before
    /// was only recorded.
    #[must_use]
    pub fn is_enforced_since(&self, before: UnixTime, now: UnixTime) -> bool {
        before < self.enforced_from && self.enforced_from <= now
    }

    /// What only time and keys decide: the snapshot's age, the key's presence, the token's times; and that shadow mode held
    /// a denial back, for as long as it did.
    ///
    /// # Errors
    /// `stale_snapshot`, `unknown_key`, `not_yet_valid` or `expired`, or the code of the denial that was held back: the
    /// request must go on no longer.
    pub fn check_current(
        &self,
        snapshot: &Snapshot,
        freshness: Freshness,
        now: UnixTime,
    ) -> Result<(), Denial> {
        if now < self.enforced_from {
            return Ok(());
        }
        let token = match &self.basis {
            Basis::Token(token) => token,
            Basis::Shadow(code) => return Err(Denial::new(Refusal::new(*code, "shadow mode is over"), None)),
        };
        decide::check_age(snapshot, self.max_staleness, now, freshness)
            .and_then(|()| token.check_current(snapshot, None, now))
            .map_err(|refusal| Denial::new(refusal, Some(String::from(token.task()))))
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
        let Some(token) = self.token().filter(|_| now >= self.enforced_from) else { return Ok(()) };
        token
            .check_revocation(snapshot.hash_key(), revoked, snapshot.min_iat())
            .map_err(|refusal| Denial::new(refusal, Some(String::from(token.task()))))
    }
}
