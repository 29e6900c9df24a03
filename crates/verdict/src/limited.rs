//! Requests under a grant that may be used so often: they pass once a server has counted the use.

use alloc::{sync::Arc, vec::Vec};

use crate::{
    Denial, DenialCode, Injection, Permit, UnixTime, Verdict, denial::Refusal, grant::GrantId,
    permit::GrantedRequest,
};

/// The verdict "yes, if there is a use left". Only [`decide()`](crate::decide()) makes one, and only what became of the
/// use turns it into a permit or a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitedPermit {
    pub(crate) permit: Permit,
    pub(crate) limit: Limit,
    /// The token's exact bytes.
    pub(crate) token: Vec<u8>,
    /// What a host in shadow does in place of a denial.
    pub(crate) shadow: Option<(UnixTime, Permit)>,
}

/// Which grant of which token is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The token's id.
    pub jti: alloc::string::String,
    /// Index of the grant within the token.
    pub grant: usize,
    /// The grant's own id.
    pub id: GrantId,
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It was counted.
    Counted,
    /// None is left, of this grant or of one that it was delegated from.
    Exhausted,
    /// The server knows that the token, its task or something else it rests on has ended.
    Revoked,
    /// Nobody knows.
    Unavailable,
}

impl LimitedPermit {
    /// What would be granted.
    #[must_use]
    pub fn record(&self) -> Option<&GrantedRequest> {
        self.permit.record()
    }

    /// Which grant would be used.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// The token, as it was sent: a server verifies it itself.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// See [`Permit::injection`]. Whoever lacks it spends no use.
    #[must_use]
    pub fn injection(&self) -> Option<&Arc<Injection>> {
        self.permit.injection()
    }

    /// See [`Permit::refused`]; no use was counted.
    #[must_use]
    pub fn refused(self, refusal: Refusal, now: UnixTime) -> Verdict {
        self.permit.refused(refusal, now)
    }

    /// The verdict, now that `outcome` is known. [`Use::Counted`] must be for this very request.
    #[must_use]
    pub fn settle(self, outcome: Use) -> Verdict {
        let Self { permit, limit: _, token: _, shadow } = self;
        let refusal = match outcome {
            Use::Counted => return Verdict::Allow(permit),
            Use::Exhausted => Refusal::new(DenialCode::LimitExhausted, "no use is left of the grant"),
            Use::Revoked => Refusal::new(DenialCode::Revoked, "the server refuses what the token rests on"),
            Use::Unavailable => Refusal::new(DenialCode::ServerUnavailable, "no server counts the use"),
        };
        let denial = Denial::new(refusal, permit.record().map(|record| record.task().into()));
        match shadow {
            Some((enforced_from, unproven)) => Verdict::Allow(unproven.into_shadowed(denial, enforced_from)),
            None => Verdict::Deny(denial),
        }
    }
}
