//! From what was allowed to a signed token.

use uuid::Uuid;
use verdict::{
    UnixTime,
    grant::Grant,
    token::{
        Claims, MAX_TOKEN,
        claims::{Actor, Confirmation, WritClaim},
    },
};

use super::{
    IssueError, binding,
    ceiling::{self, Allowance, Lifetimes, Rest},
    grants,
};
use crate::{
    clients::AuthenticatedClient,
    config::Config,
    keys::{KeyRing, Keys},
};

/// Signs tokens. Knows nothing of tasks: what a token may say was decided before, and whether it counts is decided by the
/// store, at the commit that it is handed out after.
#[derive(Debug)]
pub struct Issuer {
    issuer: String,
    lifetimes: Lifetimes,
    keys: Keys,
}

/// What a token shall say, apart from what is the same in all or new in each.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Its audiences.
    pub(crate) audiences: Vec<String>,
    /// For whom.
    pub(crate) subject: String,
    /// Who presents it, if someone else.
    pub(crate) actor: Option<Actor>,
    /// Whoever requested it.
    pub(crate) client: String,
    /// What it allows.
    pub(crate) grants: Vec<Grant>,
    /// What its presenter proves.
    pub(crate) cnf: Option<Confirmation>,
    /// Where it stands.
    pub(crate) writ: WritClaim,
    /// Its lifetime, seconds.
    pub(crate) ttl: u64,
}

/// A token that was signed and that nobody has seen: it is handed out after a commit only.
pub(crate) struct SignedToken {
    pub(crate) access_token: String,
    pub(crate) claims: Claims,
    /// The key that signed it.
    pub(crate) kid: String,
    /// The keys sequence of that key.
    pub(crate) keys: u64,
}

impl Issuer {
    /// An issuer that signs with the active key of `keys`.
    #[must_use]
    pub fn new(config: &Config, keys: Keys) -> Self {
        let lifetimes = Lifetimes { default: config.default_ttl, max: config.max_ttl };
        Self { issuer: config.issuer.clone(), lifetimes, keys }
    }

    /// What `client` may have of what it asks for, by the policy of now. `rest`: of what the token will be a part.
    pub(crate) fn allow(
        &self,
        client: &AuthenticatedClient,
        grants: &[Grant],
        asked: Option<u64>,
        rest: Option<Rest>,
    ) -> Result<Allowance, IssueError> {
        grants::check_distinct(grants)?;
        ceiling::check(grants, asked, rest, &client.policy().may_request, self.lifetimes)
    }

    /// Signs what data planes will accept, and nothing else.
    pub(crate) fn sign(&self, draft: Draft, now: UnixTime) -> Result<SignedToken, IssueError> {
        let Draft { audiences, subject, actor, client, grants, cnf, writ, ttl } = draft;
        binding::check(cnf.as_ref())?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: audiences,
            exp: now.plus(ttl).0,
            iat: now.0,
            nbf: None,
            jti: new_id(),
            sub: subject,
            act: actor,
            client_id: client,
            txn: writ.tasks.first().cloned().unwrap_or_default(),
            authorization_details: grants,
            cnf,
            writ,
        };
        claims.check().map_err(|reason| IssueError::internal(&reason))?;
        self.sign_with(&self.keys.current(), claims)
    }

    /// Signs the same with the key that signs by now.
    pub(crate) fn sign_again(&self, signed: SignedToken) -> Result<SignedToken, IssueError> {
        self.sign_with(&self.keys.current(), signed.claims)
    }

    fn sign_with(&self, keys: &KeyRing, claims: Claims) -> Result<SignedToken, IssueError> {
        let access_token = keys.active().sign(&claims).map_err(|error| IssueError::internal(&error))?;
        if access_token.len() > MAX_TOKEN {
            return Err(IssueError::TooLarge(access_token.len()));
        }
        let kid = keys.active().public().kid().to_owned();
        Ok(SignedToken { access_token, claims, kid, keys: keys.sequence() })
    }
}

/// A UUIDv7: ids sort by the time they were made.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}
