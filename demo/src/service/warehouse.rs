//! A warehouse that knows its own API keys and nothing else: whoever sends one may do anything.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::get,
};

/// What it has of everything.
pub(crate) const COUNT: &str = "{\"count\":42}\n";
/// The header that carries a key.
pub(crate) const HEADER: &str = "x-api-key";

/// The keys that it takes, to be changed while it runs, and what the last request brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    accepted: Vec<String>,
    last: String,
}

impl Keys {
    /// Takes these and no others from now on.
    pub(crate) fn accept(&self, keys: &[&str]) {
        self.lock().accepted = keys.iter().map(|&key| key.to_owned()).collect();
    }

    /// The key of the request that came last.
    pub(crate) fn last(&self) -> String {
        self.lock().last.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service.
pub(crate) fn router(keys: Keys) -> Router {
    Router::new().route("/items/{item}", get(answer).put(answer)).with_state(keys)
}

async fn answer(State(keys): State<Keys>, headers: HeaderMap, Path(_): Path<String>) -> impl IntoResponse {
    let sent: Vec<&str> = headers.get_all(HEADER).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut held = keys.lock();
    held.last = sent.join(", ");
    match sent.as_slice() {
        // It talks too much: the key comes back in its answer.
        [key] if held.accepted.iter().any(|accepted| accepted == key) => {
            (StatusCode::OK, [("x-your-key", (*key).to_owned())], COUNT)
        }
        _ => (StatusCode::UNAUTHORIZED, [("x-your-key", "none".to_owned())], "no key of ours\n"),
    }
}
