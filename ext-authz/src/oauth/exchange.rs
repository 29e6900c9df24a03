//! Token exchange (RFC 8693). That it is a delegation follows from the token and not from the parameters: there is none by
//! which a client could ask for anything else, and what is not understood is refused.

use super::{error::OAuthError, form::Form, token::TokenResponse};
use crate::{clients::AuthenticatedClient, issue::GrantList, server::Api, tasks::service::ExchangeToken};

/// The grant type (RFC 8693 section 2.1).
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a task token is (RFC 8693 section 3).
const TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt"];

pub(super) async fn exchange(
    api: &Api,
    client: &AuthenticatedClient,
    mut form: Form,
) -> Result<TokenResponse, OAuthError> {
    form.refuse_scope()?;
    // The holder of a task token is in the token. Another token beside it would have to be checked, not ignored.
    form.refuse(
        &["actor_token", "actor_token_type"],
        "is not supported: the new holder is named by `agent`",
    )?;
    check_type(&form.require("subject_token_type")?, "subject_token_type")?;
    let requested = form.take("requested_token_type");
    let issued_token_type = requested.unwrap_or_else(|| TOKEN_TYPES[0].to_owned());
    check_type(&issued_token_type, "requested_token_type")?;
    let details = form.take("authorization_details");
    let request = ExchangeToken {
        subject_token: form.require_token("subject_token")?,
        agent: form.require("agent")?,
        grants: details.map(|details| GrantList::parse(&details)).transpose()?,
        expires_in: form.seconds("expires_in")?,
        audience: form.audience()?,
        cnf: form.json("cnf")?,
    };
    form.finish()?;
    let issued = api.tasks.exchange(client, request).await.map_err(OAuthError::of_exchange)?;
    Ok(TokenResponse::exchanged(issued, issued_token_type))
}

fn check_type(text: &str, name: &str) -> Result<(), OAuthError> {
    if TOKEN_TYPES.contains(&text) {
        return Ok(());
    }
    Err(OAuthError::invalid_request(format!(
        "{name}: `{text}` is neither `{}` nor `{}`",
        TOKEN_TYPES[0], TOKEN_TYPES[1]
    )))
}
