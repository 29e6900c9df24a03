//! Subject and holder of a token.

use verdict::{
    peer::is_spiffe_id,
    token::claims::{Actor, is_name},
};

use super::IssueError;
use crate::clients::AuthenticatedClient;

/// For whom, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parties {
    pub(crate) subject: String,
    /// The holder, where it is not the subject (RFC 8693 section 4.1).
    pub(crate) actor: Option<Actor>,
}

impl Parties {
    /// Whom `client` may name, by the policy of now. The subject is a matter between client and user; the holder is what
    /// data planes and audit go by, so it is the client itself or one of the client's agents.
    pub(crate) fn of(
        client: &AuthenticatedClient,
        subject: Option<String>,
        agent: Option<String>,
    ) -> Result<Self, IssueError> {
        let subject = named(subject, "subject")?.unwrap_or_else(|| client.name().to_owned());
        let agent = named(agent, "agent")?;
        let holder = agent.as_ref().unwrap_or(&subject);
        let is_own =
            holder == client.name() || client.policy().agents.iter().any(|pattern| pattern.matches(holder));
        if !is_own {
            return Err(IssueError::Agent(holder.clone()));
        }
        let actor = agent.filter(|agent| *agent != subject).map(|sub| Actor { sub, act: None });
        Ok(Self { subject, actor })
    }

    pub(crate) fn holder(&self) -> &str {
        self.actor.as_ref().map_or(&self.subject, |actor| &actor.sub)
    }
}

fn named(name: Option<String>, field: &'static str) -> Result<Option<String>, IssueError> {
    name.map(|name| check_name(&name, field).map(|()| name)).transpose()
}

/// Refuses what cannot name a subject or a holder.
pub(crate) fn check_name(name: &str, field: &'static str) -> Result<(), IssueError> {
    if !is_name(name) {
        return Err(IssueError::Name { field });
    }
    // A dot segment would pass a pattern such as `spiffe://example.org/agent/*` and name someone else upstream.
    if name.starts_with("spiffe://") && !is_spiffe_id(name) {
        return Err(IssueError::SpiffeId { field });
    }
    Ok(())
}
