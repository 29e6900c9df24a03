//! Whether an outcome is the expected one, header hygiene and the denial's form included.

use super::{
    case::{Case, Exception, Expect, Place},
    outcome::{Forwarded, Outcome},
    prepare::Prepared,
};
use crate::http::Response;

/// Denial codes with status and RFC 6750 error, from the documentation and not from the code under test.
const CODES: &[(&str, u16, Option<&str>)] = &[
    ("missing_token", 401, Some("")),
    ("malformed_token", 401, Some("invalid_token")),
    ("unknown_key", 401, Some("invalid_token")),
    ("bad_signature", 401, Some("invalid_token")),
    ("wrong_issuer", 401, Some("invalid_token")),
    ("wrong_audience", 401, Some("invalid_token")),
    ("wrong_type", 401, Some("invalid_token")),
    ("expired", 401, Some("invalid_token")),
    ("not_yet_valid", 401, Some("invalid_token")),
    ("revoked", 401, Some("invalid_token")),
    ("sender_mismatch", 401, Some("invalid_token")),
    ("malformed_request", 400, Some("invalid_request")),
    ("ambiguous_request", 400, Some("invalid_request")),
    ("body_invalid", 400, Some("invalid_request")),
    ("body_too_large", 413, Some("invalid_request")),
    ("no_route", 403, Some("insufficient_scope")),
    ("not_granted", 403, Some("insufficient_scope")),
    ("constraint_violated", 403, Some("insufficient_scope")),
    ("limit_exhausted", 403, Some("insufficient_scope")),
    ("policy_denied", 403, Some("insufficient_scope")),
    ("stale_snapshot", 503, None),
    ("server_unavailable", 503, None),
];

/// Why `outcome` is not what `case` expects at `place`; `None` if it is.
pub fn disagreement(case: &Case, prepared: &Prepared, place: Place, outcome: &Outcome) -> Option<String> {
    let expect = match case.exception(place) {
        Some(Exception::NotThere(_)) => return None,
        Some(Exception::Refused(_)) => {
            return match outcome {
                Outcome::Refused(Some(400..)) | Outcome::Refused(None) => None,
                other => Some(format!("expected Envoy itself to refuse, got {}", other.summary())),
            };
        }
        Some(Exception::Verdict(expect, _)) => expect,
        None => &case.expect,
    };
    match (expect, outcome) {
        (Expect::Denied(expected), Outcome::Denied { code, response }) if expected == code => {
            denial_form(code, response, prepared)
        }
        (Expect::Granted, Outcome::Forwarded(forwarded)) => {
            identity(forwarded, Some(prepared)).or_else(|| hygiene(case, prepared, forwarded))
        }
        (Expect::Exempt | Expect::Shadowed, Outcome::Forwarded(forwarded)) => {
            identity(forwarded, None).or_else(|| hygiene(case, prepared, forwarded))
        }
        (expected, outcome) => Some(format!("expected {expected:?}, got {}", outcome.summary())),
    }
}

fn denial_form(code: &str, response: &Response, prepared: &Prepared) -> Option<String> {
    let Some((_, status, error)) = CODES.iter().find(|(known, ..)| *known == code) else {
        return Some(format!("`{code}` is no documented code"));
    };
    if response.status != *status {
        return Some(format!("`{code}` came with {} instead of {status}", response.status));
    }
    let challenge = response.header("www-authenticate");
    let fits = match error {
        None => challenge.is_none() && response.header("retry-after").is_some(),
        Some("") => challenge.is_some_and(|value| value.starts_with("Bearer") && !value.contains("error")),
        Some(error) => challenge.is_some_and(|value| value.contains(&format!("error=\"{error}\""))),
    };
    if !fits {
        return Some(format!("`{code}` came with the wrong challenge or without retry-after"));
    }
    let leak = prepared.tokens.iter().any(|token| contains(&response.body, token));
    leak.then(|| "the body shows the token".to_owned())
}

/// The identity headers are ours alone: those of the token where it was granted, none otherwise.
fn identity(forwarded: &Forwarded, granted: Option<&Prepared>) -> Option<String> {
    let mut expected = granted.map(|prepared| prepared.identity.clone()).unwrap_or_default();
    for (name, value) in &forwarded.headers {
        let name = String::from_utf8_lossy(name).replace('_', "-");
        if !name.starts_with("x-writ-") {
            continue;
        }
        let value = String::from_utf8_lossy(value).into_owned();
        let Some(at) = expected.iter().position(|pair| *pair == (name.clone(), value.clone())) else {
            return Some(format!("the upstream got `{name}: {value}`"));
        };
        expected.remove(at);
    }
    expected.first().map(|(name, value)| format!("the upstream lacks `{name}: {value}`"))
}

fn hygiene(case: &Case, prepared: &Prepared, forwarded: &Forwarded) -> Option<String> {
    let values = |name: &str| -> Vec<&[u8]> {
        let named = forwarded.headers.iter().filter(|(field, _)| field == name.as_bytes());
        named.map(|(_, value)| value.as_slice()).collect()
    };
    if forwarded.headers.iter().any(|(_, value)| prepared.tokens.iter().any(|token| contains(value, token))) {
        return Some("the upstream got the token".to_owned());
    }
    // Envoy sets fields of this family itself, behind the filter; those of the client must be gone.
    for (name, value) in &prepared.request.headers {
        let name = name.to_ascii_lowercase();
        if name.starts_with(b"x-envoy-") && forwarded.headers.contains(&(name.clone(), value.clone())) {
            return Some(format!("the upstream got the client's `{}`", String::from_utf8_lossy(&name)));
        }
    }
    if let Some(name) = case.stripped.iter().find(|name| !values(name).is_empty()) {
        return Some(format!("the upstream got `{name}`"));
    }
    case.forwarded.iter().find_map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        (values(name) != [value.as_bytes()]).then(|| format!("the upstream lacks `{line}`"))
    })
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && crate::http::wire::find(haystack, needle).is_some()
}
