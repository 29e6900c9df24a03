//! The one token that a request presents.

use super::{
    fields::{Fields, Single},
    path,
};
use crate::{
    denial::{DenialCode, Refusal},
    token::UnverifiedToken,
};

/// A token and the authentication scheme it came under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credential<'a> {
    pub(crate) scheme: Scheme,
    /// The token's exact bytes, whatever they are.
    pub(crate) token: &'a [u8],
}

impl<'a> Credential<'a> {
    /// The token, if it has only bytes that a token has. Apart from [`read`], because a token that is remembered needs
    /// no second look; no other step comes between the two.
    ///
    /// # Errors
    /// `malformed_request`.
    pub(crate) fn checked(&self) -> Result<&'a [u8], Refusal> {
        let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        if self.token.iter().all(is_token_byte) {
            Ok(self.token)
        } else {
            Err(malformed("`authorization` holds no token after its scheme"))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449: right exactly when the token is bound to a DPoP key.
    DPoP,
}

/// Extracts the token.
///
/// # Errors
/// `malformed_request` for more than one field or token wherever they are, or a comma in another scheme;
/// `missing_token` for none, and for another scheme.
pub(crate) fn read<'a>(fields: &Fields<'a>) -> Result<Credential<'a>, Refusal> {
    if has_token_elsewhere(fields) {
        return Err(malformed("a token in the query or in a cookie"));
    }
    match fields.authorization {
        Single::Absent => Err(missing("no `authorization` field")),
        Single::Several => Err(malformed("several `authorization` fields")),
        Single::One(value) => parse(value),
    }
}

/// The value of one `authorization` field (RFC 9110 section 11.4).
fn parse(value: &[u8]) -> Result<Credential<'_>, Refusal> {
    let end = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (name, token) = value.split_at(end);
    let scheme = if name.eq_ignore_ascii_case(b"bearer") {
        Scheme::Bearer
    } else if name.eq_ignore_ascii_case(b"dpop") {
        Scheme::DPoP
    } else if token.contains(&b',') {
        // Proxies merge repeated fields with a comma. One in a token is found with all that no token has.
        return Err(malformed("a comma in `authorization`"));
    } else if !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    {
        return Err(missing("another authentication scheme"));
    } else {
        return Err(malformed("`authorization` does not begin with a scheme"));
    };
    let token = token.strip_prefix(b" ").unwrap_or_default();
    if token.is_empty() {
        return Err(malformed("`authorization` holds no token after its scheme"));
    }
    Ok(Credential { scheme, token })
}

/// Fields in which clients send credentials.
pub(crate) const CREDENTIAL_FIELDS: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"cookie"];

/// Whether a field `wanted` holds what looks like a task token, however it is wrapped: an upstream that gets one
/// could act in the agent's name.
pub(crate) fn holds_task_token(fields: &Fields<'_>, wanted: &[u8]) -> bool {
    // Schemes, quotes, commas and padding all end a token's text.
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let named = fields.all.iter().filter(|(name, _)| *name == wanted);
    named.flat_map(|(_, value)| value.split(|byte| !in_token(byte))).any(UnverifiedToken::resembles)
}

fn has_token_elsewhere(fields: &Fields<'_>) -> bool {
    let Single::One(target) = fields.path else {
        return false;
    };
    let (_, query) = path::split(target);
    let in_query = query.unwrap_or_default().split(|byte| *byte == b'&' || *byte == b';').any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        is_access_token(name)
    });
    let mut cookies = fields.cookies.iter().flat_map(|value| value.split(|byte| *byte == b';'));
    in_query
        || cookies.any(|cookie| {
            let mut halves = cookie.trim_ascii().splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
            is_access_token(name) || UnverifiedToken::resembles(value)
        })
}

/// Whether a name reads `access_token` (RFC 6750 section 2.3) however it is encoded.
fn is_access_token(name: &[u8]) -> bool {
    super::percent::decode(name, true).is_ok_and(|name| name.trim().eq_ignore_ascii_case("access_token"))
}

fn malformed(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::MalformedRequest, detail)
}

fn missing(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::MissingToken, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(authorization: &[u8]) -> Result<(Scheme, std::vec::Vec<u8>), DenialCode> {
        let headers = [(&b":path"[..], &b"/"[..]), (b"authorization", authorization)];
        let fields = Fields::scan(&headers);
        let found = read(&fields).and_then(|found| Ok((found.scheme, found.checked()?.to_vec())));
        found.map_err(|refusal| refusal.code)
    }

    #[test]
    fn one_bearer_token() {
        assert_eq!(read_one(b"Bearer a.b.c"), Ok((Scheme::Bearer, b"a.b.c".to_vec())));
        assert_eq!(read_one(b"bearer a.b.c"), Ok((Scheme::Bearer, b"a.b.c".to_vec())));
        assert_eq!(read_one(b"DPoP a.b.c"), Ok((Scheme::DPoP, b"a.b.c".to_vec())));
    }

    #[test]
    fn anything_else_is_none_or_malformed() {
        assert_eq!(read_one(b"Basic YTpi"), Err(DenialCode::MissingToken));
        for value in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer  a",
            b"Bearer a b",
            b"Bearer a, Bearer b",
            b"Bearer \xffa",
            b"Bearer\ta",
            b"Bearer a\0",
            b" Bearer a",
            b"\xc3Bearer a",
        ] {
            assert_eq!(read_one(value), Err(DenialCode::MalformedRequest), "{value:?}");
        }
    }

    #[test]
    fn a_token_elsewhere_is_malformed() {
        for (name, value) in [
            (&b"cookie"[..], &b"access_token=x"[..]),
            (b"cookie", b"a=b; Access_Token=x"),
            (b":path", b"/?access_token=x"),
            (b":path", b"/?a=b&%61ccess_token"),
        ] {
            let mut headers = std::vec![(name, value), (&b"authorization"[..], &b"Bearer a.b.c"[..])];
            if name != b":path" {
                headers.push((b":path", b"/"));
            }
            assert_eq!(read(&Fields::scan(&headers)).unwrap_err().code, DenialCode::MalformedRequest);
        }
    }
}
