//! From a case to the request that is sent.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use super::case::{Body, Case, PeerSpec};
use crate::{
    error::{Result, unexpected},
    forge::{Forge, Values, unescape},
    http::{Field, Payload, RawRequest, wire::find},
    pki::Pki,
};

/// A case, ready to be sent.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The request.
    pub request: RawRequest,
    /// The tokens made for it; empty ones are left out.
    pub tokens: Vec<Vec<u8>>,
    /// The identity headers that the upstream gets if it is granted.
    pub identity: Vec<(String, String)>,
    /// Unix seconds that placeholders counted from.
    pub now: u64,
}

/// Prepares cases.
#[derive(Debug)]
pub struct Preparer<'p> {
    /// Makes the tokens.
    pub forge: &'p Forge,
    /// Whose thumbprints tokens are bound to.
    pub pki: &'p Pki,
}

impl Preparer<'_> {
    /// Makes the tokens and the request of `case`, at this instant.
    ///
    /// # Errors
    /// A mistake in the case.
    pub fn prepare(&self, case: &Case) -> Result<Prepared> {
        let values = Values { now: unix_now(), named: self.named()? };
        let token = self.forge.make(&case.token, &values)?;
        let other =
            case.other.as_ref().map(|spec| self.forge.make(spec, &values)).transpose()?.unwrap_or_default();
        let fill = |text: &str| -> Result<Vec<u8>> {
            Ok(replace(&replace(&unescape(text)?, b"{token}", &token), b"{other}", &other))
        };
        let mut headers: Vec<Field> = Vec::new();
        if case.bearer {
            headers.push((b"authorization".to_vec(), fill("Bearer {token}")?));
        }
        for line in &case.headers {
            headers.push(field(line, &fill)?);
        }
        let body = |text: &str| -> Result<Vec<u8>> {
            let mut body = fill(text)?;
            body.resize(body.len().max(case.pad), b' ');
            Ok(body)
        };
        let payload = match &case.body {
            Body::None => Payload::None,
            Body::Sized(text) => Payload::Sized(body(text)?),
            Body::Streamed(text) => Payload::Streamed(body(text)?),
            Body::Trailers(text, trailer) => Payload::Trailers(body(text)?, field(trailer, &fill)?),
            Body::Unframed(text) => Payload::Unframed(fill(text)?),
            Body::Open => Payload::Open,
        };
        let request = RawRequest {
            method: unescape(&case.method)?,
            target: fill(&case.path)?,
            authority: case.host.as_deref().map(unescape).transpose()?,
            headers,
            payload,
        };
        let identity = identity(&token);
        let tokens = [token, other].into_iter().filter(|token| !token.is_empty()).collect();
        Ok(Prepared { request, tokens, identity, now: values.now })
    }

    /// The certificate of a case's peer, URL-encoded, and whether Envoy's authority issued it.
    ///
    /// # Errors
    /// An unknown identity.
    pub fn certificate(&self, peer: Option<&PeerSpec>) -> Result<Option<(String, bool)>> {
        let name = peer.and_then(|peer| peer.identity.as_deref());
        name.map(|name| {
            self.pki.identity(name).map(|identity| (identity.url_encoded_pem(), identity.trusted()))
        })
        .transpose()
    }

    fn named(&self) -> Result<BTreeMap<String, serde_json::Value>> {
        let mut named = BTreeMap::new();
        for name in ["holder", "other", "stranger", "two-uris"] {
            named.insert(format!("x5t:{name}"), self.pki.identity(name)?.thumbprint().into());
        }
        named.insert("jwk:stranger".to_owned(), self.forge.stranger.jwk());
        named.insert("jwk:issuer".to_owned(), self.forge.issuer.jwk());
        named.insert("kid:stranger".to_owned(), self.forge.stranger.kid().into());
        named.insert("kid:issuer".to_owned(), self.forge.issuer.kid().into());
        Ok(named)
    }
}

/// A field from its line.
fn field(line: &str, fill: &impl Fn(&str) -> Result<Vec<u8>>) -> Result<Field> {
    let (name, value) = line.split_once(": ").ok_or_else(|| unexpected(format!("no field: `{line}`")))?;
    Ok((unescape(name)?, fill(value)?))
}

/// Unix seconds.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The identity headers of a token, read from its payload without any check.
fn identity(token: &[u8]) -> Vec<(String, String)> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    let payload = token.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
    let payload = std::str::from_utf8(payload).ok().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let Some(claims) = payload.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok())
    else {
        return Vec::new();
    };
    let text = |pointer: &str| claims.pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned);
    let task = claims.pointer("/writ/tasks").and_then(|tasks| tasks.as_array()?.last()?.as_str());
    let pairs = [
        ("x-writ-task", task.map(str::to_owned)),
        ("x-writ-agent", text("/act/sub").or_else(|| text("/sub"))),
        ("x-writ-client", text("/client_id")),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match find(text, from) {
        None => text.to_vec(),
        Some(at) => {
            let (before, after) = text.split_at(at);
            let after = after.get(from.len()..).unwrap_or_default();
            [before, to, &replace(after, from, to)].concat()
        }
    }
}
