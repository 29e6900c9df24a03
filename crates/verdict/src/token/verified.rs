//! A token whose signature, issuer and form are proven. Time, audience, sender and revocation are not part of
//! the proof: they are checked on every request.

use super::{Claims, UnverifiedToken};
use crate::{
    Snapshot, UnixTime,
    denial::{DenialCode, Refusal},
    revocation::{HashKey, Kind, Revocations},
};
use alloc::string::String;

/// Proof that an issuer's key of some snapshot signed these claims.
#[derive(Debug)]
pub struct VerifiedToken {
    claims: Claims,
    kid: String,
    payload: usize,
}

impl VerifiedToken {
    /// Checks signature, form and issuer.
    ///
    /// # Errors
    /// `unknown_key`, `bad_signature`, `malformed_token` or `wrong_issuer`, in this order.
    pub fn verify(token: &UnverifiedToken<'_>, snapshot: &Snapshot) -> Result<Self, Refusal> {
        let (kid, key) = snapshot
            .key(&token.kid)
            .ok_or(Refusal::new(DenialCode::UnknownKey, "`kid` names no key of the snapshot"))?;
        key.verify(token.signing_input, &token.signature)
            .map_err(|_| Refusal::new(DenialCode::BadSignature, "signature does not fit the key"))?;
        let payload = token.decode_payload()?;
        let claims = Claims::parse(&payload)?;
        if claims.iss != snapshot.issuer() {
            return Err(Refusal::new(DenialCode::WrongIssuer, "`iss` is not this snapshot's issuer"));
        }
        Ok(Self { claims, kid: kid.into(), payload: payload.len() })
    }

    /// What was signed.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Bytes of the JSON that the claims were read from: what they hold grows with it.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.payload
    }

    /// The key that signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks what may change from one request to the next: the key's presence, audience, time.
    ///
    /// # Errors
    /// `unknown_key`, `wrong_audience`, `not_yet_valid` or `expired`.
    pub(crate) fn check_current(
        &self,
        snapshot: &Snapshot,
        audience: Option<&str>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        if snapshot.key(self.kid.as_bytes()).is_none() {
            return Err(Refusal::new(DenialCode::UnknownKey, "the key has left the snapshot"));
        }
        if audience.is_some_and(|audience| !self.claims.aud.iter().any(|aud| aud == audience)) {
            return Err(Refusal::new(DenialCode::WrongAudience, "`aud` does not hold the host's audience"));
        }
        let latest_start = self.claims.nbf.unwrap_or(0).max(self.claims.iat);
        if now.plus(snapshot.leeway()) < UnixTime(latest_start) {
            return Err(Refusal::new(DenialCode::NotYetValid, "`nbf` or `iat` lies ahead"));
        }
        // RFC 7519 section 4.1.4: on or after `exp` the token must not be accepted.
        if now >= UnixTime(self.claims.exp).plus(snapshot.leeway()) {
            return Err(Refusal::new(DenialCode::Expired, "`exp` has passed"));
        }
        Ok(())
    }

    /// Checks everything this token rests on against what is revoked.
    ///
    /// # Errors
    /// `revoked`.
    pub(crate) fn check_revocation(
        &self,
        key: &HashKey,
        revoked: &Revocations,
        min_iat: UnixTime,
    ) -> Result<(), Refusal> {
        if UnixTime(self.claims.iat) < min_iat {
            return Err(Refusal::new(DenialCode::Revoked, "issued before the epoch's `min_iat`"));
        }
        if revoked.is_empty() {
            return Ok(());
        }
        let writ = &self.claims.writ;
        let ids = [
            (Kind::Token, self.claims.jti.as_str()),
            (Kind::Agent, self.claims.holder()),
            (Kind::Subject, &self.claims.sub),
            (Kind::Client, &self.claims.client_id),
            (Kind::Client, &writ.client),
            (Kind::Task, &self.claims.txn),
            (Kind::Key, &self.kid),
        ];
        let lists = (writ.lineage.iter().map(|jti| (Kind::Token, jti)))
            .chain(writ.tasks.iter().map(|task| (Kind::Task, task)))
            .chain(writ.agents.iter().map(|agent| (Kind::Agent, agent)));
        let mut names = ids.into_iter().chain(lists.map(|(kind, name)| (kind, name.as_str())));
        if names.any(|(kind, name)| revoked.contains(&key.hash(kind, name))) {
            return Err(Refusal::new(DenialCode::Revoked, "the token or something it rests on is revoked"));
        }
        Ok(())
    }
}
