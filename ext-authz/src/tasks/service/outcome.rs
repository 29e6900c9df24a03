//! What comes of it.

use std::fmt;

use store::Task;
use verdict::{UnixTime, grant::Grant, token::claims::Confirmation};

use crate::issue::SignedToken;

/// A task that was started, and its first token.
#[derive(Debug)]
pub struct Started {
    /// The task.
    pub task: Task,
    /// The token.
    pub token: IssuedToken,
}

/// A token that is committed, and what its client is told about it.
pub struct IssuedToken {
    /// The token, compact JWS.
    pub access_token: String,
    /// Its id.
    pub jti: String,
    /// The task it is of.
    pub task: String,
    /// For whom.
    pub subject: String,
    /// Who presents it.
    pub agent: String,
    /// Where it is good for.
    pub audiences: Vec<String>,
    /// What it allows.
    pub grants: Vec<Grant>,
    /// What its presenter proves.
    pub cnf: Option<Confirmation>,
    /// Its whole life, seconds.
    pub expires_in: u64,
    /// Expiry, Unix seconds.
    pub expires_at: u64,
}

impl IssuedToken {
    /// For the handlers alone: after the commit.
    pub(super) fn of(signed: SignedToken, issued_at: UnixTime) -> Self {
        let SignedToken { access_token, claims, kid: _, keys: _ } = signed;
        Self {
            access_token,
            task: claims.task().to_owned(),
            agent: claims.holder().to_owned(),
            jti: claims.jti,
            subject: claims.sub,
            audiences: claims.aud,
            grants: claims.authorization_details,
            cnf: claims.cnf,
            expires_in: claims.exp.saturating_sub(issued_at.0),
            expires_at: claims.exp,
        }
    }
}

impl fmt::Debug for IssuedToken {
    /// Without the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IssuedToken").field("jti", &self.jti).finish_non_exhaustive()
    }
}

/// A task that has ended.
#[derive(Clone, Debug)]
pub struct Completed {
    /// As it is now.
    pub task: Task,
    /// Whether this call ended it.
    pub changed: bool,
    /// The tasks below that ended with it.
    pub cascaded: Vec<String>,
}

/// Tasks in the order of their starts.
#[derive(Clone, Debug)]
pub struct Page {
    /// These.
    pub tasks: Vec<Task>,
    /// What to ask for the next page `after`; `None` where this is the last.
    pub next: Option<String>,
}
