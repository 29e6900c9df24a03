//! `POST /v1/revocations`.

use audit::{Event, Lines};
use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use store::{Level, NewRevocation, REVOCATION_MARGIN, Revocation, Write, Written};
use verdict::{grant::strict, token::claims::is_name};

use super::{
    key,
    known::is_known,
    view::{LevelName, RevocationView},
};
use crate::{
    clock::{self, UnixMillis},
    operators::Operator,
    server::Api,
    tasks::TaskError,
    web::{self, Problem, read_json},
};

/// Longest reason, bytes.
const MAX_REASON: usize = 512;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    level: LevelName,
    name: String,
    /// For people to read.
    #[serde(default, deserialize_with = "strict::present")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Revoked {
    revocation: RevocationView,
    /// Whether it did not stand before.
    is_new: bool,
    /// Whether anything here goes by this name; `null` where nobody can tell.
    known: Option<bool>,
}

/// Revokes anything, known or not: what nobody has heard of may be on its way.
pub(super) async fn create(
    State(api): State<Api>,
    operator: Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Revoke { level: LevelName(level), name, reason } =
        read_json(&headers, &web::read_whole(body).await?)?;
    if !is_name(&name) {
        return Err(Problem::invalid_request(
            "name: must be 1 to 255 visible ASCII characters without comma",
        ));
    }
    if reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
        return Err(Problem::invalid_request(format!("reason: over {MAX_REASON} bytes")));
    }
    let by = operator.name.to_string();
    let withdrawn = match level {
        Level::Key => key::withdraw(&api, &by, &name, reason.as_deref()).await?,
        _ => None,
    };
    let (known, (revocation, is_new)) = match withdrawn {
        Some(withdrawn) => (Some(true), withdrawn),
        None => {
            let revoked = revoke(&api, level, name.clone(), reason, by).await?;
            // After it, so that it waits for nothing. Of a key, that there was none to withdraw says it.
            let known = if level == Level::Key { Some(false) } else { is_known(&api, level, &name).await };
            (known, revoked)
        }
    };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let revocation = RevocationView::new(revocation, clock::now().0);
    Ok(web::uncached(status, Revoked { revocation, is_new, known }))
}

async fn revoke(
    api: &Api,
    level: Level,
    name: String,
    reason: Option<String>,
    by: String,
) -> Result<(Revocation, bool), TaskError> {
    let now = clock::now_millis();
    let expires_at = expiry(api, level, now).await?;
    let now_seconds = now.seconds().0;
    let revocation = NewRevocation { level, name, audience: None, reason, by, now: now_seconds, expires_at };
    let lines = Lines::of(&event(&revocation, now));
    match api.ledger.write(Write::Revoke(revocation), lines).await? {
        Written::Revoked { revocation, is_new } => Ok((revocation, is_new)),
        _ => Err(TaskError::Internal),
    }
}

/// When it can be forgotten: once no token of today or of this second can be alive. Agents, subjects and clients come again,
/// and a key that was withdrawn never does.
async fn expiry(api: &Api, level: Level, now: UnixMillis) -> Result<Option<u64>, TaskError> {
    if level.is_liftable() || level == Level::Key {
        return Ok(None);
    }
    let longest = now.seconds().0.saturating_add(api.config.max_ttl.as_secs());
    let latest = api.reads.latest_expiry().await?.unwrap_or_default().max(longest);
    Ok(Some(latest.saturating_add(REVOCATION_MARGIN)))
}

fn event(revocation: &NewRevocation, now: UnixMillis) -> Event<'_> {
    let NewRevocation { level, name, audience: _, reason, by, now: _, expires_at } = revocation;
    match level {
        Level::Task => Event::task_revoked(now.0, by, name, reason.as_deref()),
        _ => Event::revoked(now.0, by, level.name(), name, reason.as_deref(), *expires_at),
    }
}
