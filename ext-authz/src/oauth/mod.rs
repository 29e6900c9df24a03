//! The OAuth side: tokens, keys, metadata.

mod client;
mod error;
mod exchange;
mod form;
mod introspect;
mod metadata;
mod request;
mod revoke;
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
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
}
