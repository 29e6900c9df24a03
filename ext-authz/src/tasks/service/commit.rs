//! The commit that every token waits for.

use audit::{Lines, Token};
use store::{Conditions, Level, NewLimit, Write, WriteError, Written};
use verdict::{
    UnixTime,
    grant::{Grant, GrantId},
    token::Claims,
};

use super::{IssuedToken, TaskError, Tasks, error::On};
use crate::{
    issue::{SignedToken, Uncovered},
    telemetry::metrics,
};

/// Most times that one token is signed. Keys change once in a while, not again and again.
const SIGNATURES: usize = 3;

/// What must not be revoked, each once.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<(Level, String)>);

impl Names {
    pub(crate) fn add(&mut self, level: Level, name: &str) {
        if !self.0.iter().any(|(known, other)| *known == level && other == name) {
            self.0.push((level, name.to_owned()));
        }
    }

    /// All that a token names, its own id apart: that is new.
    pub(crate) fn of(claims: &Claims) -> Self {
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

    pub(crate) fn into_vec(self) -> Vec<(Level, String)> {
        self.0
    }
}

/// What events say of a token.
pub(crate) fn told(claims: &Claims) -> Token<'_> {
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
    /// What must hold for `signed` to be handed out, beside the tasks that it is of, and what begins to be counted. Its own key counts too: what it signs
    /// is refused everywhere once it is withdrawn.
    pub(super) fn conditions(
        &self,
        signed: &SignedToken,
        mut names: Names,
        begun: &[(GrantId, u32)],
        epoch: u64,
        now: UnixTime,
    ) -> Conditions {
        let claims = &signed.claims;
        let limit = |(id, uses): &(GrantId, u32)| NewLimit {
            root: claims.txn.clone(),
            id: id.as_str().to_owned(),
            uses: *uses,
            expires_at: claims.exp,
        };
        names.add(Level::Key, &signed.kid);
        Conditions {
            now: now.0,
            tasks: Vec::new(),
            client: None,
            names: names.into_vec(),
            keys: signed.keys,
            epoch,
            limits: begun.iter().map(limit).collect(),
        }
    }

    /// Hands a further token of a task out, once that is recorded. `told` says under which conditions, and what is
    /// recorded.
    pub(super) async fn hand_out(
        &self,
        signed: SignedToken,
        now: UnixTime,
        told: impl Fn(&SignedToken) -> (Conditions, Lines),
    ) -> Result<IssuedToken, TaskError> {
        let issue = |signed: &SignedToken| {
            let (conditions, lines) = told(signed);
            (Write::Issue(conditions), lines)
        };
        let (signed, _) = self.commit(signed, On::Task, issue).await?;
        metrics::token_issued();
        Ok(IssuedToken::of(signed, now))
    }

    /// Writes what `make` says of a token. Where the keys have changed since it was signed, it is signed again first: a key
    /// that was replaced, or withdrawn, signs nothing more.
    pub(super) async fn commit(
        &self,
        mut signed: SignedToken,
        on: On,
        make: impl Fn(&SignedToken) -> (Write, Lines),
    ) -> Result<(SignedToken, Written), TaskError> {
        for _ in 0..SIGNATURES {
            let (write, lines) = make(&signed);
            match self.0.ledger.write(write, lines).await {
                Ok(written) => return Ok((signed, written)),
                Err(WriteError::KeysChanged) => {
                    // Not only the keys: who verifies here must know the one that signs.
                    self.0.store.read_now().await;
                    signed = self.0.issuer.sign_again(signed)?;
                }
                Err(error) => return Err(TaskError::of_write(error, on)),
            }
        }
        Err(TaskError::Changed)
    }

    pub(super) async fn write(&self, write: Write, lines: Lines, on: On) -> Result<Written, TaskError> {
        self.0.ledger.write(write, lines).await.map_err(|error| TaskError::of_write(error, on))
    }
}

/// Refuses a grant that none of those has which it comes `of`.
pub(super) fn check_covered(grants: &[Grant], by: &[Grant], of: &'static str) -> Result<(), TaskError> {
    let is_wider = |grant: &Grant| !by.iter().any(|wider| grant.covered_by(wider));
    match grants.iter().enumerate().find(|(_, grant)| is_wider(grant)) {
        Some((index, grant)) => Err(TaskError::Wider { index, of, why: Uncovered::of(grant, by.iter()) }),
        None => Ok(()),
    }
}
