//! `POST /oauth2/introspect` (RFC 7662).

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use verdict::token::Claims;

use super::{error::OAuthError, request::ClientForm};
use crate::{server::Api, web};

#[derive(Serialize)]
struct Introspection {
    active: bool,
    /// Without them where it is not active, whatever the reason (section 2.2).
    #[serde(flatten)]
    token: Option<Active>,
}

#[derive(Serialize)]
struct Active {
    token_type: &'static str,
    #[serde(flatten)]
    claims: Claims,
}

/// Tells a client about its own tokens; any other is not active as far as it is concerned.
pub(super) async fn introspect(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OAuthError> {
    let ClientForm { client, mut form } = ClientForm::read(&api, &headers, body).await?;
    let token = form.require_token("token")?;
    form.take("token_type_hint");
    form.finish()?;
    let claims = api.tasks.introspect(&client, &token).await?;
    let token = claims.map(|claims| Active { token_type: "Bearer", claims });
    Ok(web::uncached(StatusCode::OK, Introspection { active: token.is_some(), token }))
}
