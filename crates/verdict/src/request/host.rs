//! The host name that a request is for.

use alloc::string::String;

use super::fields::{Fields, Single};
use crate::denial::{DenialCode, Refusal};

/// Longest host name (RFC 1035 section 3.1), in characters.
const MAX_LENGTH: usize = 253;

/// Reads the host: lower case, without port and one trailing dot.
///
/// # Errors
/// `ambiguous_request` where there is none, two that differ, or one that is no host name.
pub(crate) fn read(fields: &Fields<'_>) -> Result<String, Refusal> {
    let raw = match (fields.authority, fields.host) {
        (Single::One(authority), Single::Absent) => authority,
        (Single::Absent, Single::One(host)) => host,
        (Single::One(authority), Single::One(host)) if authority.eq_ignore_ascii_case(host) => authority,
        (Single::Absent, Single::Absent) => return Err(ambiguous("no host")),
        _ => return Err(ambiguous("several hosts, or `host` and `:authority` that differ")),
    };
    canonical(raw).ok_or(ambiguous("not a host name with an optional port"))
}

/// The one form of a host name under which routes are kept; `None` where `raw` is no host name.
pub(crate) fn canonical(raw: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(raw).ok()?;
    let name = without_port(text)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    (is_name(name) || is_ipv6(name)).then(|| name.to_ascii_lowercase())
}

fn without_port(text: &str) -> Option<&str> {
    // The colons of an IPv6 address stand between brackets (RFC 3986 section 3.2.2).
    let name_end = if text.starts_with('[') {
        text.find(']')?.checked_add(1)?
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (name, port) = text.split_at_checked(name_end)?;
    match port.strip_prefix(':') {
        None => port.is_empty().then_some(name),
        Some(digits) => {
            let valid = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            valid.then_some(name)
        }
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= MAX_LENGTH && name.as_bytes().split(|byte| *byte == b'.').all(label)
}

fn is_ipv6(name: &str) -> bool {
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok())
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_form() {
        for raw in
            ["logs.internal", "LOGS.internal", "logs.internal.", "logs.internal:80", "Logs.Internal.:8080"]
        {
            assert_eq!(canonical(raw.as_bytes()).as_deref(), Some("logs.internal"), "{raw}");
        }
        assert_eq!(canonical(b"[::1]:80").as_deref(), Some("[::1]"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for raw in [
            "", ".", "a..", "a..b", ":80", "a:", "a:80:80", "a:x", "a:123456", "u@a", "a/b", "a b", "a,b",
            "[::1", "[a]", "[::1]x", "é", "a\0",
        ] {
            assert_eq!(canonical(raw.as_bytes()), None, "{raw:?}");
        }
    }
}
