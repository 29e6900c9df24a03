//! What the world may know: keys (RFC 7517) and endpoints (RFC 8414).

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, header};
use serde::Serialize;

use super::{exchange::TOKEN_EXCHANGE, token::CLIENT_CREDENTIALS};
use crate::{keys::PublicKey, server::Api};

/// Keys and metadata change rarely; verifiers that meet an unknown `kid` ask again anyway.
const CACHE: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));

/// How clients prove who they are (RFC 6749 section 2.3.1).
const AUTHENTICATION: [&str; 2] = ["client_secret_basic", "client_secret_post"];

#[derive(Serialize)]
struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    /// Required by RFC 8414 section 2; there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// RFC 9396 section 10.
    authorization_details_types_supported: [&'static str; 1],
}

pub(super) async fn jwks(State(api): State<Api>) -> impl IntoResponse {
    ([CACHE], Json(KeySet { keys: api.keys.current().public().cloned().collect() }))
}

pub(super) async fn metadata(State(api): State<Api>) -> impl IntoResponse {
    let issuer = &api.config.issuer;
    let metadata = Metadata {
        issuer: issuer.clone(),
        token_endpoint: format!("{issuer}/oauth2/token"),
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        introspection_endpoint: format!("{issuer}/oauth2/introspect"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        response_types_supported: [],
        grant_types_supported: [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
        token_endpoint_auth_methods_supported: AUTHENTICATION,
        revocation_endpoint_auth_methods_supported: AUTHENTICATION,
        introspection_endpoint_auth_methods_supported: AUTHENTICATION,
        authorization_details_types_supported: ["task_grant"],
    };
    ([CACHE], Json(metadata))
}
