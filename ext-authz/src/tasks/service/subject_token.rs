//! Task tokens that clients bring: proven, or refused.

use verdict::{
    DenialCode, UnixTime,
    denial::Refusal,
    token::{Claims, UnverifiedToken, VerifiedToken},
};

use super::TaskError;
use crate::state::State;

/// A token with its claims, which a key of this server signed. Whether it still counts is another question.
pub(super) struct Proven {
    pub(super) claims: Claims,
    token: VerifiedToken,
}

impl Proven {
    /// Checks signature, form and issuer.
    pub(super) fn read(token: &str, state: &State) -> Result<Self, Refusal> {
        let token = UnverifiedToken::parse(token.as_bytes())?;
        let (token, claims) = VerifiedToken::verify_with_claims(&token, state.snapshot())?;
        Ok(Self { claims, token })
    }

    /// Checks time and what is revoked as far as this server knows; the commit checks what all know. An issuer has no
    /// clock but its own, so that there is no leeway after the end.
    pub(super) fn check_standing(&self, state: &State, now: UnixTime) -> Result<(), Refusal> {
        self.token.check_standing(state.snapshot(), None, now)?;
        if now.0 >= self.claims.exp {
            return Err(Refusal::new(DenialCode::Expired, "`exp` has passed"));
        }
        Ok(())
    }

    /// The key that signed it.
    pub(super) fn kid(&self) -> &str {
        self.token.kid()
    }

    /// Whether it was issued to this client, or is of a task that this client started.
    pub(super) fn is_of(&self, client: &str) -> bool {
        self.claims.client_id == client || self.claims.writ.client == client
    }
}

impl From<Refusal> for TaskError {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            DenialCode::Revoked => Self::Revoked(store::Level::Token),
            code => Self::SubjectToken(code),
        }
    }
}
