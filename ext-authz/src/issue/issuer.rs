//! From an authenticated client's request to a signed token.

use uuid::Uuid;
use verdict::{
    UnixTime,
    grant::Grant,
    peer::is_spiffe_id,
    token::{
        Claims, MAX_TOKEN,
        claims::{Confirmation, WritClaim},
    },
};

use super::{
    IssueError, TokenRequest, audience,
    ceiling::{self, Lifetimes},
    grants,
    holder::Parties,
};
use crate::{clients::AuthenticatedClient, config::Config, keys::Keys, state::State, telemetry::metrics};

/// Signs tokens. Keeps no state of its own: a token is not a row.
#[derive(Debug)]
pub struct Issuer {
    issuer: String,
    lifetimes: Lifetimes,
    keys: Keys,
}

/// A token that was just signed, and what its client is told about it.
pub struct IssuedToken {
    /// The token, compact JWS.
    pub access_token: String,
    /// The task it opens.
    pub task: String,
    /// For whom.
    pub subject: String,
    /// Who presents it.
    pub agent: String,
    /// Lifetime in seconds.
    pub expires_in: u64,
    /// Expiry, Unix seconds.
    pub expires_at: u64,
    /// What it allows.
    pub grants: Vec<Grant>,
}

impl Issuer {
    /// An issuer that signs with the active key of `keys`.
    #[must_use]
    pub fn new(config: &Config, keys: Keys) -> Self {
        let lifetimes = Lifetimes { default: config.default_ttl, max: config.max_ttl };
        Self { issuer: config.issuer.clone(), lifetimes, keys }
    }

    /// Opens a task and signs its first token.
    ///
    /// # Errors
    /// What the client may not have, or the server cannot do.
    pub fn issue(
        &self,
        state: &State,
        client: &AuthenticatedClient,
        request: TokenRequest,
        now: UnixTime,
    ) -> Result<IssuedToken, IssueError> {
        let TokenRequest { grants, subject, agent, expires_in, audience, cnf } = request;
        grants::check_supported(&grants)?;
        grants::check_distinct(&grants)?;
        let allowance = ceiling::check(&grants, expires_in, &client.policy().may_request, self.lifetimes)?;
        let audience = audience::choose(audience, &state.policy().audiences())?;
        let parties = Parties::of(client, subject, agent)?;
        check_binding(cnf.as_ref())?;

        let task = new_id();
        let agent = parties.holder().to_owned();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: vec![audience],
            exp: now.plus(allowance.ttl).0,
            iat: now.0,
            nbf: None,
            jti: new_id(),
            sub: parties.subject,
            act: parties.actor,
            client_id: client.name().to_owned(),
            txn: task.clone(),
            authorization_details: grants,
            cnf,
            writ: WritClaim {
                client: client.name().to_owned(),
                tasks: vec![task.clone()],
                agents: vec![agent.clone()],
                lineage: Vec::new(),
                depth: 0,
                max_depth: allowance.max_depth,
            },
        };
        let access_token = self.sign(&claims)?;
        tracing::info!(
            task,
            client = client.name(),
            agent,
            jti = claims.jti,
            expires_at = claims.exp,
            "issued a task token"
        );
        metrics::token_issued();
        Ok(IssuedToken {
            access_token,
            task,
            subject: claims.sub,
            agent,
            expires_in: allowance.ttl,
            expires_at: claims.exp,
            grants: claims.authorization_details,
        })
    }

    /// Signs what data planes will accept, and nothing else.
    fn sign(&self, claims: &Claims) -> Result<String, IssueError> {
        claims.check().map_err(|reason| IssueError::internal(&reason))?;
        let token =
            self.keys.current().active().sign(claims).map_err(|error| IssueError::internal(&error))?;
        if token.len() > MAX_TOKEN { Err(IssueError::TooLarge(token.len())) } else { Ok(token) }
    }
}

/// A `cnf` that nothing could satisfy, or that nothing here checks, must not be signed.
fn check_binding(cnf: Option<&Confirmation>) -> Result<(), IssueError> {
    match cnf {
        None => Ok(()),
        Some(Confirmation { jkt: Some(_), .. }) => {
            Err(IssueError::Binding("`jkt` (DPoP) is not supported by this version"))
        }
        Some(Confirmation { x5t_s256: None, spiffe: None, jkt: None }) => {
            Err(IssueError::Binding("names nothing to prove: give `spiffe` or `x5t#S256`"))
        }
        Some(Confirmation { x5t_s256, spiffe, jkt: None }) => {
            if x5t_s256.as_ref().is_some_and(|thumbprint| !is_thumbprint(thumbprint)) {
                return Err(IssueError::Binding("`x5t#S256` is not the base64url SHA-256 of a certificate"));
            }
            if spiffe.as_ref().is_some_and(|id| !is_spiffe_id(id)) {
                return Err(IssueError::Binding("`spiffe` is not a SPIFFE ID"));
            }
            Ok(())
        }
    }
}

/// 32 bytes in base64url (RFC 8705 section 3.1).
fn is_thumbprint(text: &str) -> bool {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// A UUIDv7: ids sort by the time they were made.
fn new_id() -> String {
    Uuid::now_v7().to_string()
}
