//! A token whose signature, issuer and form are proven. Time, audience, sender and revocation are not part of
//! the proof: they are checked on every request.

use alloc::{boxed::Box, sync::Arc};

use super::{
    Claims, UnverifiedToken,
    claims::Confirmation,
    names::{Names, Roles},
};
use crate::{
    Snapshot, UnixTime,
    denial::{DenialCode, Refusal},
    grant::{Grant, held},
    revocation::{HashKey, Kind, Revocations},
};

/// Proof that an issuer's key of some snapshot signed these claims; of them it keeps what verdicts read. Compact,
/// because a data plane remembers thousands.
#[derive(Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    names: Names,
    expires_at: UnixTime,
    issued_at: UnixTime,
    /// The later of `nbf` and `iat`.
    valid_from: UnixTime,
    grants: Box<[Grant]>,
    cnf: Option<Box<Confirmation>>,
    kid: Arc<str>,
}

impl VerifiedToken {
    /// Checks signature, form and issuer.
    ///
    /// # Errors
    /// `unknown_key`, `bad_signature`, `malformed_token` or `wrong_issuer`, in this order.
    pub fn verify(token: &UnverifiedToken<'_>, snapshot: &Snapshot) -> Result<Self, Refusal> {
        let (claims, kid) = prove(token, snapshot)?;
        let names = names(&claims)?;
        Ok(Self::of(claims, names, kid))
    }

    /// As [`VerifiedToken::verify`], with all claims: for an issuer, which makes other tokens of this one.
    ///
    /// # Errors
    /// As [`VerifiedToken::verify`].
    pub fn verify_with_claims(
        token: &UnverifiedToken<'_>,
        snapshot: &Snapshot,
    ) -> Result<(Self, Claims), Refusal> {
        let (claims, kid) = prove(token, snapshot)?;
        let names = names(&claims)?;
        Ok((Self::of(claims.clone(), names, kid), claims))
    }

    fn of(claims: Claims, names: Names, kid: Arc<str>) -> Self {
        Self {
            names,
            expires_at: UnixTime(claims.exp),
            issued_at: UnixTime(claims.iat),
            valid_from: UnixTime(claims.nbf.unwrap_or(0).max(claims.iat)),
            grants: claims.authorization_details.into_boxed_slice(),
            cnf: claims.cnf.map(Box::new),
            kid,
        }
    }

    /// The task this token is for.
    #[must_use]
    pub fn task(&self) -> &str {
        self.names.first(Roles::TASK)
    }

    /// Who presents it.
    #[must_use]
    pub fn holder(&self) -> &str {
        self.names.first(Roles::HOLDER)
    }

    /// Whoever requested it.
    #[must_use]
    pub fn client(&self) -> &str {
        self.names.first(Roles::CLIENT)
    }

    /// Its id, `jti`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.names.first(Roles::TOKEN)
    }

    /// Its `exp`.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// What it grants.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Bytes of memory that this token holds, the allocator's overhead included: never less than it really does.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let Self { names, expires_at: _, issued_at: _, valid_from: _, grants, cnf, kid: _ } = self;
        let texts = cnf.iter().flat_map(|cnf| {
            let Confirmation { x5t_s256, jkt, spiffe } = &**cnf;
            [x5t_s256, jkt, spiffe].into_iter().flatten()
        });
        // Beside itself an `Arc` keeps two counts.
        held::allocation(size_of::<Self>().saturating_add(2 * size_of::<usize>()))
            .saturating_add(held::allocation(names.len()))
            .saturating_add(held::allocation(size_of_val::<[Grant]>(grants)))
            .saturating_add(grants.iter().map(Grant::held_bytes).sum())
            .saturating_add(cnf.as_ref().map_or(0, |_| held::allocation(size_of::<Confirmation>())))
            .saturating_add(texts.map(|text| held::allocation(text.capacity())).sum())
    }

    pub(crate) fn cnf(&self) -> Option<&Confirmation> {
        self.cnf.as_deref()
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
        if audience.is_some_and(|audience| !self.names.has(Roles::AUDIENCE, audience)) {
            return Err(Refusal::new(DenialCode::WrongAudience, "`aud` does not hold the host's audience"));
        }
        if now.plus(snapshot.leeway()) < self.valid_from {
            return Err(Refusal::new(DenialCode::NotYetValid, "`nbf` or `iat` lies ahead"));
        }
        // RFC 7519 section 4.1.4: on or after `exp` the token must not be accepted.
        if now >= self.expires_at.plus(snapshot.leeway()) {
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
        if self.issued_at < min_iat {
            return Err(Refusal::new(DenialCode::Revoked, "issued before the epoch's `min_iat`"));
        }
        if revoked.is_empty() {
            return Ok(());
        }
        let mut names = self.names.revocable().chain([(Kind::Key, &*self.kid)]);
        if names.any(|(kind, name)| revoked.contains(&key.hash(kind, name))) {
            return Err(Refusal::new(DenialCode::Revoked, "the token or something it rests on is revoked"));
        }
        Ok(())
    }
}

/// Claims that a key of the snapshot signed, and that key's id.
fn prove(token: &UnverifiedToken<'_>, snapshot: &Snapshot) -> Result<(Claims, Arc<str>), Refusal> {
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
    Ok((claims, Arc::clone(kid)))
}

fn names(claims: &Claims) -> Result<Names, Refusal> {
    Names::of(claims).ok_or(Refusal::new(DenialCode::MalformedToken, "an id is over 255 bytes"))
}
