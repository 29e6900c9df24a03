//! `/v1/keys`, for operators.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use store::WriteError;

use super::{ChangeError, KeyControl, ListedKey};
use crate::{
    operators::Operator,
    server::Api,
    web::{Problem, read_json, read_whole, uncached},
};

/// Longest reason, in bytes.
const MAX_REASON: usize = 1024;

/// A key, as operators see it. The private half is never shown.
#[derive(Debug, Serialize)]
pub(crate) struct KeyView<'k> {
    kid: &'k str,
    alg: &'k str,
    /// `next`, `active`, `retired` or `withdrawn`.
    state: &'static str,
    /// Whether new tokens are signed with it.
    active: bool,
    /// Unix seconds, as all instants here.
    created: u64,
    active_at: Option<u64>,
    retired_at: Option<u64>,
    /// No token that it signed is valid after this instant.
    last_exp: Option<u64>,
}

#[derive(Serialize)]
struct Keys<'k> {
    keys: Vec<KeyView<'k>>,
}

#[derive(Serialize)]
struct Rotating {
    /// The key that will sign.
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    reason: Option<String>,
}

#[derive(Serialize)]
struct Withdrawn {
    withdrawn: String,
    /// Whether it was not withdrawn before.
    changed: bool,
    /// The key that signs.
    active: String,
}

/// Routes of operators.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/v1/keys", get(list))
        .route("/v1/keys/rotate", post(rotate))
        .route("/v1/keys/{kid}/withdraw", post(withdraw))
}

async fn list(_: Operator, State(api): State<Api>) -> Response {
    let ring = api.keys.current();
    let keys = ring.set().keys().iter().map(KeyView::new).collect();
    uncached(StatusCode::OK, Keys { keys })
}

/// Answers before the key signs: that takes until all data planes hold it.
async fn rotate(operator: Operator, State(api): State<Api>) -> Result<Response, Problem> {
    let next = KeyControl::of(&api).rotate(&operator.name).await?;
    Ok(uncached(StatusCode::ACCEPTED, Rotating { next }))
}

async fn withdraw(
    operator: Operator,
    State(api): State<Api>,
    Path(kid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = read_whole(body).await?;
    let reason = if body.is_empty() { None } else { read_json::<Withdrawal>(&headers, &body)?.reason };
    if reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON) {
        return Err(Problem::invalid_request(format!("reason: over {MAX_REASON} bytes")));
    }
    let done = KeyControl::of(&api).withdraw(&kid, &operator.name, reason.as_deref()).await?;
    let super::Withdrawn { is_new: changed, active, revocation: _ } = done;
    Ok(uncached(StatusCode::OK, Withdrawn { withdrawn: kid, changed, active }).into_response())
}

impl<'k> KeyView<'k> {
    pub(crate) fn new(key: &'k ListedKey) -> Self {
        let ListedKey { public, state, created_at, active_at, retired_at, last_exp } = key;
        Self {
            kid: public.kid(),
            alg: public.alg(),
            state: state.name(),
            active: *state == store::KeyState::Active,
            created: *created_at,
            active_at: *active_at,
            retired_at: *retired_at,
            last_exp: *last_exp,
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let (status, code) = match &error {
            ChangeError::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_key"),
            ChangeError::TooMany => (StatusCode::CONFLICT, "too_many_keys"),
            ChangeError::Write(WriteError::Unstorable(_)) => (StatusCode::BAD_REQUEST, "invalid_request"),
            ChangeError::Outpaced | ChangeError::Keys(_) | ChangeError::Store(_) | ChangeError::Write(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        };
        Self::new(status, code, error.to_string())
    }
}
