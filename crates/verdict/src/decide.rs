//! The verdict, in order. Each step is one function; the first that says no ends it.

use alloc::{boxed::Box, string::String, sync::Arc};

use crate::{
    Body, BodyNeed, Denial, DenialCode, Injection, Limit, LimitedPermit, Permit, Request, Snapshot, UnixTime,
    denial::Refusal,
    document::DEFAULT_MAX_STALENESS,
    grant::{Grant, GrantId, Miss},
    permit::GrantedRequest,
    request::{
        Leniencies,
        credential::{self, Credential, Scheme},
        fields::{Fields, Single},
        host,
        pairs::Pairs,
        path,
    },
    route::{Host, Meaning, Rule, Target},
    token::{TokenKey, UnverifiedToken, VerifiedToken, VerifiedTokens},
};

/// Most header fields of a request. Envoy takes 100 by default, ours included: with more of them it could not set
/// ours any more, and says so in another way on each path.
const MAX_FIELDS: usize = 90;

/// Whether a request passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes, with the permit's edits.
    Allow(Permit),
    /// It passes once a server has counted the use of a limited grant.
    NeedsUse(Box<LimitedPermit>),
    /// It gets the denial's response.
    Deny(Denial),
    /// All that can be told without the body is in order: [`Body::Present`] is not enough, and nothing may go on before
    /// the request was judged again. Nobody without a good token gets this far.
    NeedsBody(BodyNeed),
}

impl Verdict {
    /// What the request must carry upstream, should it pass: see [`Permit::injection`].
    #[must_use]
    pub fn injection(&self) -> Option<&Arc<Injection>> {
        match self {
            Self::Allow(permit) => permit.injection(),
            Self::NeedsUse(limited) => limited.injection(),
            Self::Deny(_) | Self::NeedsBody(_) => None,
        }
    }

    /// See [`Permit::refused`].
    #[must_use]
    pub fn refused(self, refusal: Refusal, now: UnixTime) -> Self {
        match self {
            Self::Allow(permit) => permit.refused(refusal, now),
            Self::NeedsUse(limited) => limited.refused(refusal, now),
            Self::Deny(denial) => Self::Deny(denial),
            Self::NeedsBody(_) => Self::Deny(Denial::new(refusal, None)),
        }
    }
}

/// How old the snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It came with the configuration: its own `not_after` counts.
    Static,
    /// It comes over a feed, whose sender last read the store completely at this instant.
    AsOf(UnixTime),
}

/// Judges one request. Pure: the same arguments get the same verdict, except that `tokens` may spare the
/// signature of a token whose signature it remembers.
pub fn decide(
    snapshot: &Snapshot,
    request: &Request<'_>,
    now: UnixTime,
    freshness: Freshness,
    tokens: &mut dyn VerifiedTokens,
) -> Verdict {
    let fields = Fields::scan(request.headers);
    let name = host::read(&fields);
    let host = name.as_ref().ok().and_then(|name| snapshot.host(name));
    match judge(snapshot, request, &fields, name.as_ref().map(|_| host), now, freshness, tokens) {
        Ok(verdict) => verdict,
        Err(denial) => match host.filter(|host| host.is_shadow(now)) {
            Some(host) => Verdict::Allow(Permit::shadowed(denial, host.enforced_from(), &fields)),
            None => Verdict::Deny(denial),
        },
    }
}

fn judge(
    snapshot: &Snapshot,
    request: &Request<'_>,
    fields: &Fields<'_>,
    host: Result<Option<&Host>, &Refusal>,
    now: UnixTime,
    freshness: Freshness,
    tokens: &mut dyn VerifiedTokens,
) -> Result<Verdict, Denial> {
    let anonymous = |refusal| Denial::new(refusal, None);
    let known_host = host.ok().flatten();
    check_freshness(snapshot, known_host, now, freshness).map_err(anonymous)?;

    // The request is read before its token, because a rule may need none. What is wrong with it is said only
    // to a verified token: a stranger learns nothing about routes.
    let reading = host.map_err(Clone::clone).and_then(|host| read_request(host, fields, request.body));
    if let Ok(Reading::Exempt) = reading {
        return Ok(Verdict::Allow(Permit::exempt(fields)));
    }
    let credential = credential::read(fields).map_err(anonymous)?;
    let token = verify(snapshot, &credential, tokens).map_err(anonymous)?;

    let denied = |refusal| Denial::new(refusal, Some(String::from(token.task())));
    token.check_current(snapshot, known_host.map(Host::audience), now).map_err(denied)?;
    check_sender(&token, credential.scheme, request).map_err(denied)?;
    token
        .check_revocation(snapshot.hash_key(), snapshot.revocations(), snapshot.min_iat())
        .map_err(denied)?;
    let Reading::Reads { rule, target, leniencies } = reading.map_err(denied)? else {
        return Ok(Verdict::Allow(Permit::exempt(fields)));
    };
    if request.body == Body::Present
        && let Some(need) = rule.body_need()
    {
        return Ok(Verdict::NeedsBody(need));
    }
    let meaning = rule.meaning(&target, leniencies).map_err(denied)?;
    let Choice { grant, limited } = choose_grant(token.grants(), &meaning).map_err(denied)?;
    let limit = limited.map(|id| Limit { jti: token.id().into(), grant, id });
    let granted = GrantedRequest::new(token, meaning, grant, known_host);
    let permit = Permit::granted(granted, limit.is_some(), fields);
    Ok(match limit {
        None => Verdict::Allow(permit),
        Some(limit) => Verdict::NeedsUse(Box::new(LimitedPermit {
            permit,
            limit,
            token: credential.token.to_vec(),
            shadow: known_host
                .filter(|host| host.is_shadow(now))
                .map(|host| (host.enforced_from(), Permit::exempt(fields))),
        })),
    })
}

/// Step 0. An unknown host gets the default bound: its denial must not rest on an old snapshot either.
fn check_freshness(
    snapshot: &Snapshot,
    host: Option<&Host>,
    now: UnixTime,
    freshness: Freshness,
) -> Result<(), Refusal> {
    check_age(snapshot, host.map_or(DEFAULT_MAX_STALENESS, Host::max_staleness), now, freshness)
}

/// Whether the snapshot is too old where at most `max_staleness` seconds are allowed.
pub(crate) fn check_age(
    snapshot: &Snapshot,
    max_staleness: u64,
    now: UnixTime,
    freshness: Freshness,
) -> Result<(), Refusal> {
    if snapshot.not_after().is_some_and(|end| now >= end) {
        return Err(Refusal::new(DenialCode::StaleSnapshot, "the snapshot's `not_after` has passed"));
    }
    match freshness {
        Freshness::AsOf(as_of) if now > as_of.plus(max_staleness) => {
            Err(Refusal::new(DenialCode::StaleSnapshot, "the feed is older than the host's `max_staleness`"))
        }
        Freshness::Static | Freshness::AsOf(_) => Ok(()),
    }
}

/// What a request is, once its header fields read in one way only.
enum Reading<'r> {
    Exempt,
    Reads { rule: &'r Rule, target: Target<'r>, leniencies: Leniencies },
}

/// Step 5, done early: request to rule. What the rule makes of it comes after the token, because it may rest on a body.
fn read_request<'r>(
    host: Option<&'r Host>,
    fields: &'r Fields<'r>,
    body: Body<'r>,
) -> Result<Reading<'r>, Refusal> {
    check_framing(fields, body)?;
    if fields.overrides_target {
        return Err(Refusal::new(
            DenialCode::AmbiguousRequest,
            "a header field overrides the method or the path",
        ));
    }
    let (Single::One(method), Single::One(raw_path)) = (fields.method, fields.path) else {
        return Err(Refusal::new(DenialCode::MalformedRequest, "not one method and one path"));
    };
    let Some(host) = host else {
        return Err(Refusal::new(DenialCode::NoRoute, "no such host"));
    };
    let (raw_path, raw_query) = path::split(raw_path);
    let leniencies = host.leniencies();
    let segments = path::read(raw_path, leniencies)?;
    let method = core::str::from_utf8(method).unwrap_or_default();
    let rule: &Rule = host.rule(&segments, method)?;
    let target = Target { segments, query: Pairs::read(raw_query, leniencies)?, fields, body };
    rule.check(&target)?;
    Ok(if rule.is_exempt() { Reading::Exempt } else { Reading::Reads { rule, target, leniencies } })
}

/// A length that promises what does not come, or comes twice, is how requests are smuggled (RFC 9112 section 6.3).
fn check_framing(fields: &Fields<'_>, body: Body<'_>) -> Result<(), Refusal> {
    let malformed = |detail| Err(Refusal::new(DenialCode::MalformedRequest, detail));
    if fields.all.len() > MAX_FIELDS {
        return malformed("more than 90 header fields");
    }
    match fields.content_length {
        Single::Absent => Ok(()),
        Single::Several => malformed("several `content-length` fields"),
        Single::One(digits) => {
            if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
                return malformed("`content-length` is not a number");
            }
            let promised = digits.iter().any(|&digit| digit != b'0');
            // After a handshake the bytes belong to the new protocol, whose length nobody knows.
            if promised && fields.upgrade != Single::Absent {
                return malformed("`content-length` beside `upgrade`");
            }
            let fits = match body {
                Body::Whole(bytes) => core::str::from_utf8(digits).is_ok_and(|digits| {
                    digits.parse::<u64>().is_ok_and(|length| usize::try_from(length) == Ok(bytes.len()))
                }),
                _ => promised == body.is_there(),
            };
            if fits { Ok(()) } else { malformed("`content-length` and body differ") }
        }
    }
}

/// Step 2 without audience and time: the proof, from memory or made.
fn verify(
    snapshot: &Snapshot,
    credential: &Credential<'_>,
    tokens: &mut dyn VerifiedTokens,
) -> Result<Arc<VerifiedToken>, Refusal> {
    let key = TokenKey::of(snapshot.hash_key(), credential.token);
    if let Some(token) = tokens.lookup(&key) {
        return Ok(token);
    }
    // A text that is remembered was checked when it was read first.
    let unverified = UnverifiedToken::parse(credential.checked()?)?;
    let token = Arc::new(VerifiedToken::verify(&unverified, snapshot)?);
    tokens.remember(key, &token);
    Ok(token)
}

/// Step 3.
fn check_sender(token: &VerifiedToken, scheme: Scheme, request: &Request<'_>) -> Result<(), Refusal> {
    let mismatch = |detail| Err(Refusal::new(DenialCode::SenderMismatch, detail));
    let cnf = token.cnf();
    if (scheme == Scheme::DPoP) != cnf.is_some_and(|cnf| cnf.jkt.is_some()) {
        return mismatch("the scheme is `DPoP` exactly when the token is bound to a DPoP key");
    }
    match cnf {
        Some(cnf) if !request.peer.confirms(cnf) => mismatch("the peer does not prove what `cnf` names"),
        _ => Ok(()),
    }
}

/// The grant that a request rests on.
struct Choice {
    /// Its index in the token.
    grant: usize,
    /// Its id, where its uses are counted.
    limited: Option<GrantId>,
}

/// Steps 6 and 7: the first covering grant without a limit, else the first covering one.
fn choose_grant(grants: &[Grant], meaning: &Meaning) -> Result<Choice, Refusal> {
    let mut nearest = Miss::Scope;
    let mut first_limited = None;
    for (index, grant) in grants.iter().enumerate() {
        match grant.covers(&meaning.action, &meaning.resource, |name| meaning.parameter(name)) {
            Ok(()) if grant.limits.is_none() => return Ok(Choice { grant: index, limited: None }),
            Ok(()) => first_limited = first_limited.or(Some((index, grant))),
            Err(miss) => nearest = nearest.max(miss),
        }
    }
    match (first_limited, nearest) {
        (Some((index, grant)), _) => {
            let id = grant.id.clone().ok_or(Refusal::new(
                DenialCode::ServerUnavailable,
                "the uses of a limited grant without an id cannot be counted",
            ))?;
            Ok(Choice { grant: index, limited: Some(id) })
        }
        (None, Miss::Constraint) => {
            Err(Refusal::new(DenialCode::ConstraintViolated, "a parameter is outside its constraint"))
        }
        (None, Miss::Scope) => {
            Err(Refusal::new(DenialCode::NotGranted, "no grant covers the action and the resource"))
        }
    }
}
