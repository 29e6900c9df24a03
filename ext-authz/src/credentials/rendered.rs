//! The secret as the header field that carries it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use policy::Inject;
use thiserror::Error;

use super::Secret;

/// Shortest secret, bytes: a shorter one is guessed, and hiding it in answers would garble them.
const SHORTEST: usize = 8;
/// Longest secret, bytes: Envoy takes 60 KiB of header fields together by default, and upstreams mostly less.
const LONGEST: usize = 8 * 1024;

/// A header value, and what must not be seen of it.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The whole value.
    pub value: Secret,
    /// What an upstream could echo: the secret, and the form in which it is sent where that is another.
    pub masked: Vec<Secret>,
}

/// A secret that is none, or cannot be sent. Says nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// Too short or too long.
    #[error("has not {SHORTEST} to {LONGEST} bytes")]
    Length,
    /// It would end the header field, or begin another (RFC 9110 section 5.5).
    #[error("has a line break, a control character or another byte that a header field cannot carry")]
    Character,
}

impl Rendered {
    /// The field for `secret`.
    pub(super) fn new(inject: &Inject, secret: &Secret) -> Result<Self, Unsendable> {
        let bytes = secret.expose();
        if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
            return Err(Unsendable::Length);
        }
        match inject {
            Inject::Header { name: _, before, after } => {
                let is_legal = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
                let is_bare = bytes.trim_ascii().len() == bytes.len();
                if !is_legal || !is_bare {
                    return Err(Unsendable::Character);
                }
                let value = Secret::new([before.as_bytes(), bytes, after.as_bytes()].concat());
                Ok(Self { value, masked: vec![secret.clone()] })
            }
            // RFC 7617 section 2: no control characters.
            Inject::Basic { username } => {
                if bytes.iter().any(u8::is_ascii_control) {
                    return Err(Unsendable::Character);
                }
                let pair = Secret::new([username.as_bytes(), b":", bytes].concat());
                let encoded = Secret::new(STANDARD.encode(pair.expose()).into_bytes());
                let value = Secret::new([b"Basic ", encoded.expose()].concat());
                Ok(Self { value, masked: vec![secret.clone(), encoded] })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer() -> Inject {
        Inject::Header { name: "authorization".into(), before: "Bearer ".into(), after: String::new() }
    }

    fn render(inject: &Inject, secret: &[u8]) -> Result<String, Unsendable> {
        let rendered = Rendered::new(inject, &Secret::new(secret.to_vec()))?;
        Ok(String::from_utf8(rendered.value.expose().to_vec()).unwrap())
    }

    #[test]
    fn a_secret_becomes_a_field() {
        assert_eq!(render(&bearer(), b"open sesame").unwrap(), "Bearer open sesame");
        // RFC 7617 section 2.
        let basic = Inject::Basic { username: "Aladdin".into() };
        assert_eq!(render(&basic, b"open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let rendered = Rendered::new(&basic, &Secret::new(b"open sesame".to_vec())).unwrap();
        let masked: Vec<&[u8]> = rendered.masked.iter().map(Secret::expose).collect();
        assert_eq!(masked, [&b"open sesame"[..], b"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    }

    #[test]
    fn nothing_gets_out_of_its_field() {
        for secret in [
            &b"one\ntwo-three"[..],
            b"one\r\nx: two",
            b"one\0two-three",
            b" lead-ing",
            b"trail-ing ",
            b"h\xc3\xa9-cr-et",
        ] {
            assert_eq!(render(&bearer(), secret), Err(Unsendable::Character), "{}", secret.escape_ascii());
        }
        for inject in [bearer(), Inject::Basic { username: "a".into() }] {
            assert_eq!(render(&inject, b"short"), Err(Unsendable::Length));
            assert_eq!(render(&inject, &[b'a'; LONGEST + 1]), Err(Unsendable::Length));
            assert_eq!(render(&inject, b"one\ntwo-three"), Err(Unsendable::Character));
        }
    }

    #[test]
    fn nobody_shows_it() {
        let rendered = Rendered::new(&bearer(), &Secret::new(b"open sesame".to_vec())).unwrap();
        assert!(!format!("{rendered:?}").contains("sesame"));
    }
}
