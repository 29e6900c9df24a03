//! A token as text: split, bounded, and its header read. Nothing in it is believed yet.

use alloc::{borrow::Cow, vec::Vec};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::MAX_TOKEN;
use crate::{
    denial::{DenialCode, Refusal},
    ed25519::SIGNATURE_LENGTH,
    grant::object::ObjectOnly,
};

/// A JWS in compact form (RFC 7515 section 7.1) whose header is that of a task token.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    /// What was signed: header, dot, payload, as sent.
    pub(super) signing_input: &'t [u8],
    payload: &'t [u8],
    pub(super) signature: [u8; SIGNATURE_LENGTH],
    pub(super) kid: Vec<u8>,
}

/// The protected header. Any member beyond these is refused: `jwk`, `jku` and `x5u` would bring the key along,
/// `crit` and `b64` would change what was signed (RFC 8725 section 3).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'h> {
    #[serde(borrow)]
    alg: Cow<'h, str>,
    #[serde(borrow, default)]
    typ: Option<Cow<'h, str>>,
    #[serde(borrow, default)]
    kid: Option<Cow<'h, str>>,
}

struct ObjectOnlyHeader<'h>(Header<'h>);

impl<'de: 'h, 'h> Deserialize<'de> for ObjectOnlyHeader<'h> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Header::deserialize(ObjectOnly(deserializer)).map(Self)
    }
}

impl<'t> UnverifiedToken<'t> {
    /// Splits and decodes `token`.
    ///
    /// # Errors
    /// `malformed_token` for anything but a bounded compact JWS in canonical base64url with a known header,
    /// `wrong_type` for another `typ`, `unknown_key` for no `kid`.
    pub fn parse(token: &'t [u8]) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(malformed("token over 8192 bytes"));
        }
        let mut parts = token.split(|&byte| byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("not three parts separated by dots"));
        };
        let header_json = decode(header).ok_or(malformed("header is not canonical base64url"))?;
        let Header { alg, typ, kid } = serde_json::from_slice(&header_json)
            .map(|ObjectOnlyHeader(header)| header)
            .map_err(|_| malformed("header is not an object of `alg`, `typ` and `kid`"))?;
        match typ.as_deref() {
            Some("at+jwt" | "application/at+jwt") => {}
            _ => return Err(Refusal::new(DenialCode::WrongType, "`typ` is not `at+jwt`")),
        }
        // Two names of one algorithm (RFC 8037, RFC 9864). The key alone decides which algorithm runs.
        if !matches!(&*alg, "EdDSA" | "Ed25519") {
            return Err(malformed("`alg` is not that of any key"));
        }
        let kid = kid.ok_or(Refusal::new(DenialCode::UnknownKey, "no `kid`"))?;
        let signature = decode(signature)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(malformed("signature is not 64 bytes in canonical base64url"))?;
        // The split guarantees that header, dot and payload lie at the front.
        let signing_input = token.get(..header.len() + 1 + payload.len()).ok_or(malformed("truncated"))?;
        Ok(Self { signing_input, payload, signature, kid: kid.as_bytes().to_vec() })
    }

    /// The payload's bytes, to be read once the signature holds.
    pub(super) fn decode_payload(&self) -> Result<Vec<u8>, Refusal> {
        decode(self.payload).ok_or(malformed("payload is not canonical base64url"))
    }

    /// Whether `text` looks like a task token at all: used to find tokens where none may be.
    #[must_use]
    pub fn resembles(text: &[u8]) -> bool {
        // Every JSON object that starts with `{"` starts with `ey` in base64.
        text.starts_with(b"ey") && text.iter().filter(|&&byte| byte == b'.').count() == 2 && {
            match UnverifiedToken::parse(text) {
                Ok(_) => true,
                Err(refusal) => !matches!(refusal.code, DenialCode::MalformedToken | DenialCode::WrongType),
            }
        }
    }
}

/// Base64url without padding and without stray bits in the last character: one value has one encoding.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn malformed(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::MalformedToken, detail)
}
