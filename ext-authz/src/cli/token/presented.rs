//! A token as it was handed to us, and what it says. Nothing of it is proven here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use verdict::token::{Claims, MAX_TOKEN};

use super::args::TokenFile;
use crate::cli::{exit::Failure, input};

/// The text, without what it is usually pasted with.
pub(super) fn read(args: &TokenFile) -> Result<String, Failure> {
    let text = input::read_text(&args.file, "a token")?;
    let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    let token = text.get(scheme.map_or(0, str::len)..).unwrap_or_default().trim();
    if token.is_empty() { Err(Failure::failed(&"no token there")) } else { Ok(token.to_owned()) }
}

/// What a text says that looks like a token.
pub(super) struct Said {
    pub(super) header: Value,
    pub(super) payload: Value,
    /// The payload as claims of a task token, or why it is none.
    pub(super) claims: Result<Claims, String>,
}

/// Decodes the parts of a token, as leniently as can be: a bad one is to be looked at, too.
pub(super) fn decode(token: &str) -> Result<Said, Failure> {
    if token.len() > MAX_TOKEN {
        return Err(Failure::failed(&format!("not a task token: over {MAX_TOKEN} bytes")));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, _signature] = parts.as_slice() else {
        return Err(Failure::failed(&"not a token: not three parts separated by dots"));
    };
    let bytes = |name: &str, part: &str| {
        let text = part.trim_end_matches('=');
        let not = |reason: &dyn std::fmt::Display| Failure::failed(&format!("not a token: {name}: {reason}"));
        URL_SAFE_NO_PAD.decode(text).map_err(|error| not(&error))
    };
    let json = |name: &str, bytes: &[u8]| {
        serde_json::from_slice::<Value>(bytes)
            .map_err(|error| Failure::failed(&format!("not a token: {name}: {error}")))
    };
    let (header, payload) = (bytes("header", header)?, bytes("payload", payload)?);
    let claims = Claims::parse(&payload).map_err(|refusal| refusal.detail.into_owned());
    Ok(Said { header: json("header", &header)?, payload: json("payload", &payload)?, claims })
}
