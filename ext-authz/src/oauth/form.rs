//! Parameters of a form, each at most once.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::error::{Code, OAuthError};
use crate::web::is_media_type;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Parameters by name. RFC 6749 section 3.2: none may be repeated, those without value count as omitted.
#[derive(Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads an `application/x-www-form-urlencoded` body.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        if !is_media_type(headers, MEDIA_TYPE) {
            return Err(OAuthError::invalid_request(format!("content-type must be {MEDIA_TYPE}")));
        }
        // Decoding replaces what is not UTF-8. Percent-encoded bytes are checked by the values' own readers.
        std::str::from_utf8(body).map_err(|_| OAuthError::invalid_request("the form is not UTF-8"))?;
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::invalid_request(format!("parameter `{name}` is repeated")));
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// Takes a parameter out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a token out that must be there, without the white space that a file ends in: with it no token would be found,
    /// and what should be revoked would go on.
    pub(super) fn require_token(&mut self, name: &str) -> Result<String, OAuthError> {
        Ok(self.require(name)?.trim_ascii().to_owned())
    }

    /// Takes a parameter out that must be there.
    pub(super) fn require(&mut self, name: &str) -> Result<String, OAuthError> {
        self.take(name).ok_or_else(|| OAuthError::invalid_request(format!("parameter `{name}` is missing")))
    }

    /// Takes a number of seconds out.
    pub(super) fn seconds(&mut self, name: &str) -> Result<Option<u64>, OAuthError> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(seconds) if is_number => Ok(Some(seconds)),
            _ => Err(OAuthError::invalid_request(format!("{name}: must be a whole number of seconds"))),
        }
    }

    /// Takes JSON out.
    pub(super) fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, OAuthError> {
        let read = |json: String| {
            serde_json::from_str(&json)
                .map_err(|error| OAuthError::invalid_request(format!("{name}: {error}")))
        };
        self.take(name).map(read).transpose()
    }

    /// Takes the audience out, under either of its names.
    pub(super) fn audience(&mut self) -> Result<Option<String>, OAuthError> {
        match (self.take("audience"), self.take("resource")) {
            (Some(_), Some(_)) => Err(OAuthError::invalid_request("both `audience` and `resource`")),
            (audience, resource) => Ok(audience.or(resource)),
        }
    }

    /// Refuses scopes, which say less than grants.
    pub(super) fn refuse_scope(&mut self) -> Result<(), OAuthError> {
        match self.take("scope") {
            Some(_) => {
                Err(OAuthError::new(Code::InvalidScope, "there are no scopes: use authorization_details"))
            }
            None => Ok(()),
        }
    }

    /// Refuses these, and says why.
    pub(super) fn refuse(&mut self, names: &[&str], reason: &str) -> Result<(), OAuthError> {
        match names.iter().find(|name| self.0.contains_key(**name)) {
            Some(name) => Err(OAuthError::invalid_request(format!("parameter `{name}` {reason}"))),
            None => Ok(()),
        }
    }

    /// Refuses what is left: it may be there to narrow.
    pub(super) fn finish(self) -> Result<(), OAuthError> {
        match self.0.into_keys().next() {
            Some(name) => Err(OAuthError::invalid_request(format!("parameter `{name}` is not understood"))),
            None => Ok(()),
        }
    }
}
