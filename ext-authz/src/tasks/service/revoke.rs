//! Clients take their own tokens back (RFC 7009).

use audit::{Event, Lines};
use store::{Level, NewRevocation, REVOCATION_MARGIN, Write};

use super::{TaskError, Tasks, error::On, subject_token::Proven};
use crate::{clients::AuthenticatedClient, clock};

impl Tasks {
    /// Revokes a token, and all that were exchanged for it, if it was issued to the client or is of a task of theirs. Any
    /// other is left alone. Returns whether it was the client's.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn revoke_token(&self, client: &AuthenticatedClient, token: &str) -> Result<bool, TaskError> {
        let (now, state) = (clock::now_millis(), self.0.current.load());
        let Ok(proven) = Proven::read(token, &state) else { return Ok(false) };
        if !proven.is_of(client.name()) {
            return Ok(false);
        }
        let claims = &proven.claims;
        // Also of what seems to have expired everywhere: a clock that is ahead must not lose it.
        let expires_at = claims.exp.saturating_add(REVOCATION_MARGIN);
        let revocation = NewRevocation {
            level: Level::Token,
            name: claims.jti.clone(),
            audience: Some(&claims.aud).filter(|aud| aud.len() == 1).map(|aud| aud.concat()),
            reason: None,
            by: client.name().to_owned(),
            now: now.seconds().0,
            expires_at: Some(expires_at),
        };
        let (by, name) = (client.name(), claims.jti.as_str());
        let event = Event::revoked(now.0, by, Level::Token.name(), name, None, Some(expires_at));
        self.write(Write::Revoke(revocation), Lines::of(&event), On::Task).await?;
        Ok(true)
    }
}
