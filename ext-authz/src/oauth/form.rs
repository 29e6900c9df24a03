//! Parameters of a form, each at most once.

use std::collections::BTreeMap;

use http::HeaderMap;

use super::error::OAuthError;
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

    /// Takes a parameter out that must be there.
    pub(super) fn require(&mut self, name: &str) -> Result<String, OAuthError> {
        self.take(name).ok_or_else(|| OAuthError::invalid_request(format!("parameter `{name}` is missing")))
    }
}
