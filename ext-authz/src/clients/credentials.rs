//! Client id and secret as a request carries them.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use percent_encoding::percent_decode;
use thiserror::Error;

/// Longest id or secret, bytes.
const MAX_LENGTH: usize = 255;

/// What a request says about who sent it. Not proven yet.
pub struct ClientCredentials {
    /// The client's name.
    pub(super) id: String,
    /// Its secret.
    pub(super) secret: String,
}

/// Why a request carries no client credentials that could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// There are none.
    #[error("no client credentials: use HTTP Basic with the client's id and secret")]
    Missing,
    /// `Authorization` is there, but is not one well-formed Basic value.
    #[error("the `authorization` header is not one value of the `Basic` scheme with id and secret")]
    Malformed,
}

impl ClientCredentials {
    /// Credentials that came in a form (RFC 6749 section 2.3.1, `client_secret_post`).
    ///
    /// # Errors
    /// One that is empty or too long.
    pub fn new(id: String, secret: String) -> Result<Self, CredentialsError> {
        let fits = |text: &str| (1..=MAX_LENGTH).contains(&text.len());
        if fits(&id) && fits(&secret) { Ok(Self { id, secret }) } else { Err(CredentialsError::Malformed) }
    }

    /// Credentials in an `Authorization: Basic` header (RFC 6749 section 2.3.1, RFC 7617), if there is one.
    ///
    /// # Errors
    /// [`CredentialsError::Malformed`], for another scheme too: a task token in this place is no client.
    pub fn from_basic(headers: &HeaderMap) -> Result<Option<Self>, CredentialsError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (value, None) = (values.next(), values.next()) else {
            return Err(CredentialsError::Malformed);
        };
        value.map(|value| parse_basic(value.as_bytes()).ok_or(CredentialsError::Malformed)).transpose()
    }

    /// The claimed name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn parse_basic(value: &[u8]) -> Option<ClientCredentials> {
    let (scheme, rest) = value.split_at_checked("basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let pair = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let (id, secret) = (pair.get(..colon)?, pair.get(colon + 1..)?);
    ClientCredentials::new(decode_form(id)?, decode_form(secret)?).ok()
}

/// One value in `application/x-www-form-urlencoded` form: RFC 6749 section 2.3.1 has ids and secrets encoded so
/// before they are joined by a colon.
fn decode_form(text: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).ok()
}

impl fmt::Debug for ClientCredentials {
    /// The id and nothing else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCredentials").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(values: &[&str]) -> Result<Option<(String, String)>, CredentialsError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Ok(ClientCredentials::from_basic(&headers)?.map(|found| (found.id, found.secret)))
    }

    fn encoded(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn ids_and_secrets_are_form_encoded() {
        let found = basic(&[&encoded("log%2Djanitor:a%3Ab+c%25")]).unwrap().unwrap();
        assert_eq!(found, ("log-janitor".into(), "a:b c%".into()));
        assert_eq!(basic(&[&encoded("a:b:c").replace("Basic", "bAsIc")]).unwrap().unwrap().1, "b:c");
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(basic(&[]), Ok(None));
        for value in
            ["", "Basic", "Basic !", "Bearer abc", &encoded("no-colon"), &encoded(":secret"), &encoded("id:")]
        {
            assert_eq!(basic(&[value]), Err(CredentialsError::Malformed), "{value}");
        }
        let one = encoded("a:b");
        assert_eq!(basic(&[&one, &one]), Err(CredentialsError::Malformed));
    }
}
