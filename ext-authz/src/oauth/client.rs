//! Client authentication at the token endpoint (RFC 6749 section 2.3).

use http::HeaderMap;

use super::{error::OAuthError, form::Form};
use crate::clients::ClientCredentials;

/// The credentials of a request, from its header or its form, never from both.
pub(super) fn credentials(headers: &HeaderMap, form: &mut Form) -> Result<ClientCredentials, OAuthError> {
    let basic = ClientCredentials::from_basic(headers)
        .map_err(|error| OAuthError::invalid_client(error.to_string()))?;
    let (id, secret) = (form.take("client_id"), form.take("client_secret"));
    if form.take("client_assertion").is_some() || form.take("client_assertion_type").is_some() {
        return Err(OAuthError::invalid_client("client assertions are not supported by this version"));
    }
    match (basic, id, secret) {
        (Some(_), _, Some(_)) => {
            Err(OAuthError::invalid_request("two ways of client authentication in one request"))
        }
        (Some(basic), Some(id), None) if basic.id() != id => {
            Err(OAuthError::invalid_request("`client_id` is not the client of the `authorization` header"))
        }
        (Some(basic), _, None) => Ok(basic),
        (None, Some(id), Some(secret)) => {
            ClientCredentials::new(id, secret).map_err(|error| OAuthError::invalid_client(error.to_string()))
        }
        (None, _, _) => Err(OAuthError::invalid_client("no client credentials")),
    }
}
