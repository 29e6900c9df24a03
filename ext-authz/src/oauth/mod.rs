//! The OAuth side: token endpoint, keys, metadata.

mod client;
mod error;
mod form;
mod metadata;
mod token;

use axum::{
    Router,
    routing::{get, post},
};

use crate::server::Api;

/// Routes of this side.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/oauth2/token", post(token::token))
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
}
