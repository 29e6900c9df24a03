//! The commit that every token waits for.

use audit::{Lines, Token};
use store::{Conditions, Level, Write, Written};
use verdict::{UnixTime, grant::Grant, token::Claims};

use super::{IssuedToken, TaskError, Tasks, error::On};
use crate::{issue::SignedToken, telemetry::metrics};

/// What must not be revoked, each once.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(Level, String)>);

impl Names {
    pub(super) fn add(&mut self, level: Level, name: &str) {
        if !self.0.iter().any(|(known, other)| *known == level && other == name) {
            self.0.push((level, name.to_owned()));
        }
    }

    /// All that a token names, its own id apart: that is new.
    pub(super) fn of(claims: &Claims) -> Self {
        let mut names = Self::default();
        for client in [&claims.client_id, &claims.writ.client] {
            names.add(Level::Client, client);
        }
        names.add(Level::Subject, &claims.sub);
        names.add(Level::Agent, claims.holder());
        for agent in &claims.writ.agents {
            names.add(Level::Agent, agent);
        }
        for token in &claims.writ.lineage {
            names.add(Level::Token, token);
        }
        names
    }

    pub(super) fn into_vec(self) -> Vec<(Level, String)> {
        self.0
    }
}

/// What events say of a token.
pub(super) fn told(claims: &Claims) -> Token<'_> {
    Token {
        jti: &claims.jti,
        task: claims.task(),
        agent: claims.holder(),
        client: &claims.client_id,
        subject: &claims.sub,
        expires_at: claims.exp,
    }
}

impl Tasks {
    /// What must hold for `signed` to be handed out, beside the tasks that it is of.
    pub(super) fn conditions(
        &self,
        signed: &SignedToken,
        names: Names,
        epoch: u64,
        now: UnixTime,
    ) -> Conditions {
        Conditions {
            now: now.0,
            tasks: Vec::new(),
            client: None,
            names: names.into_vec(),
            keys: signed.keys,
            epoch,
        }
    }

    /// Hands a further token of a task out, once that is recorded.
    pub(super) async fn hand_out(
        &self,
        signed: SignedToken,
        conditions: Conditions,
        lines: Lines,
    ) -> Result<IssuedToken, TaskError> {
        let now = UnixTime(conditions.now);
        self.write(Write::Issue(conditions), lines, On::Task).await?;
        metrics::token_issued();
        Ok(IssuedToken::of(signed, now))
    }

    pub(super) async fn write(&self, write: Write, lines: Lines, on: On) -> Result<Written, TaskError> {
        self.0.ledger.write(write, lines).await.map_err(|error| TaskError::of_write(error, on))
    }
}

/// Refuses a grant that none of those has which it comes `of`.
pub(super) fn check_covered(grants: &[Grant], by: &[Grant], of: &'static str) -> Result<(), TaskError> {
    let is_wider = |grant: &Grant| !by.iter().any(|wider| grant.covered_by(wider));
    match grants.iter().position(is_wider) {
        Some(index) => Err(TaskError::Wider { index, of }),
        None => Ok(()),
    }
}
