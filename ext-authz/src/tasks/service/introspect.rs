//! What a token of the client's says and whether it counts (RFC 7662).

use verdict::{UnixTime, token::Claims};

use super::{TaskError, Tasks, subject_token::Proven};
use crate::{clients::AuthenticatedClient, clock, state::State};

impl Tasks {
    /// The claims of a token that counts now, if it is the client's; `None` for any other.
    ///
    /// # Errors
    /// The store cannot be read, or holds more than fits: nobody knows then.
    pub async fn introspect(
        &self,
        client: &AuthenticatedClient,
        token: &str,
    ) -> Result<Option<Claims>, TaskError> {
        let (now, state) = (clock::now(), self.0.current.load());
        if state.revoked().epoch().is_none() {
            return Err(TaskError::Unavailable);
        }
        let Some(claims) = standing(token, client.name(), &state, now) else { return Ok(None) };
        // A task that ended a moment ago is not in the snapshot yet. Whatever is above has ended it too.
        let task = self.0.reads.rows.task(claims.task()).await?;
        let is_active = task.is_some_and(|task| task.state_at(now.0) == store::TaskState::Active);
        Ok(is_active.then_some(claims))
    }
}

fn standing(token: &str, client: &str, state: &State, now: UnixTime) -> Option<Claims> {
    let proven = Proven::read(token, state).ok().filter(|proven| proven.is_of(client))?;
    proven.check_standing(state, now).ok()?;
    Some(proven.claims)
}
