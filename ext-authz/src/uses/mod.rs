//! Uses of limited grants: counted in the store, each before its request goes on.
//!
//! Whoever asks says which token it saw, and which of its grants; all that decides is read from the token itself and from
//! the store. A use that was counted is not given back: whether its request reached the service, nobody knows.

mod service;

use audit::{Event, Lines};
use sha2::{Digest as _, Sha256};
use store::{Ledger, Level, NewUse, Used, Write, WriteError, Written};
use verdict::{
    Use,
    denial::Refusal,
    token::{Claims, UnverifiedToken, VerifiedToken},
};

pub(crate) use service::{USE, count};

use crate::{
    clock,
    identity::DataPlane,
    state::{Current, State},
    tasks::{Names, told},
    telemetry::{
        metrics,
        quiet::{QUIET, Quiet},
    },
};

/// Counts uses. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Uses {
    current: Current,
    ledger: Ledger,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Names the decision, among those of its data plane.
    pub(crate) decision: &'a [u8],
    /// The token, as it was presented.
    pub(crate) token: &'a [u8],
    /// Index of the grant in it.
    pub(crate) grant: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Use,
    /// What is left of the whole chain, after a use that was counted.
    pub(crate) left: u32,
}

/// Why nothing is counted for whoever asks.
enum NotCounted {
    /// The token counts no more, or never did.
    Refused(Refusal),
    /// It has no such limited grant, or is not for this data plane.
    Senseless(&'static str),
}

impl From<Refusal> for NotCounted {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Uses {
    pub(crate) fn new(current: Current, ledger: Ledger) -> Self {
        Self { current, ledger }
    }

    /// Counts one use, of a grant and of all that it was delegated from; or says why not, and then counts none.
    pub(crate) async fn count(&self, plane: &DataPlane, asked: Asked<'_>) -> Answer {
        let answer = match read(&self.current.load(), plane, asked) {
            Ok((used, lines)) => self.write(used, lines).await,
            Err(NotCounted::Refused(refusal)) => {
                tracing::debug!(data_plane = %plane.name, code = refusal.code.as_str(), "no use of a refused token");
                Answer::none(Use::Revoked)
            }
            Err(NotCounted::Senseless(reason)) => {
                tracing::warn!(data_plane = %plane.name, reason, "a use that makes no sense was not counted");
                Answer::none(Use::Unavailable)
            }
        };
        metrics::use_asked(answer.outcome);
        answer
    }

    async fn write(&self, used: NewUse, lines: Lines) -> Answer {
        match self.ledger.write(Write::Use(used), lines).await {
            Ok(Written::Used(Used::Counted { left, is_new: _ })) => Answer { outcome: Use::Counted, left },
            Ok(Written::Used(Used::Exhausted)) => Answer::none(Use::Exhausted),
            Err(
                WriteError::UnknownTask
                | WriteError::TaskEnded(_)
                | WriteError::Revoked(_)
                | WriteError::UnknownLimit,
            ) => Answer::none(Use::Revoked),
            Ok(_) => Answer::none(Use::Unavailable),
            Err(error) => {
                static SAID: Quiet = Quiet::new();
                if SAID.is_over() {
                    tracing::warn!(%error, "a use was not counted; others within {QUIET} s are not logged");
                }
                Answer::none(Use::Unavailable)
            }
        }
    }
}

impl Answer {
    fn none(outcome: Use) -> Self {
        Self { outcome, left: 0 }
    }
}

/// Verifies the token, and reads from it what is counted.
fn read(state: &State, plane: &DataPlane, asked: Asked<'_>) -> Result<(NewUse, Lines), NotCounted> {
    let Asked { decision, token, grant } = asked;
    let now = clock::now_millis();
    let unverified = UnverifiedToken::parse(token)?;
    let (verified, claims) = VerifiedToken::verify_with_claims(&unverified, state.snapshot())?;
    verified.check_standing(state.snapshot(), None, now.seconds())?;
    if !claims.aud.iter().any(|audience| plane.scope.sees(Some(audience))) {
        return Err(NotCounted::Senseless("the token is for other data planes"));
    }
    let grant = claims.authorization_details.get(grant).filter(|grant| grant.limits.is_some());
    let id =
        grant.and_then(|grant| grant.id.as_ref()).ok_or(NotCounted::Senseless("no such limited grant"))?;
    let lines = Lines::of(&Event::grant_used(now.0, told(&claims), id.as_str(), &plane.name));
    let mut names = Names::of(&claims);
    names.add(Level::Token, &claims.jti);
    names.add(Level::Key, verified.kid());
    let used = NewUse {
        decision: name(plane, decision, &claims, id.as_str()),
        root: claims.txn.clone(),
        id: id.as_str().to_owned(),
        now: now.seconds().0,
        tasks: claims.writ.tasks.clone(),
        names: names.into_vec(),
    };
    Ok((used, lines))
}

/// What a decision is remembered by. Two that two data planes call the same, or that are about two tokens, are two.
fn name(plane: &DataPlane, decision: &[u8], claims: &Claims, id: &str) -> String {
    let mut hash = Sha256::new();
    for part in [plane.name.as_bytes(), decision, claims.jti.as_bytes(), id.as_bytes()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
