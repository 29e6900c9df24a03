//! `POST /oauth2/revoke` (RFC 7009).

use axum::{body::Body, extract::State};
use http::{HeaderMap, StatusCode};

use super::{error::OAuthError, request::ClientForm};
use crate::{server::Api, telemetry::metrics};

/// Revokes a token of the client's own. Any other token is as if it were revoked already (section 2.2): a client learns
/// nothing about tokens that are not its own.
pub(super) async fn revoke(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, OAuthError> {
    let ClientForm { client, mut form } = ClientForm::read(&api, &headers, body).await?;
    let token = form.require_token("token")?;
    // Only a hint: there is one kind of token.
    form.take("token_type_hint");
    form.finish()?;
    if !api.tasks.revoke_token(&client, &token).await? {
        metrics::foreign_token_left_alone();
        tracing::info!(client = client.name(), "left a token alone that is not the client's to revoke");
    }
    Ok(StatusCode::OK)
}
