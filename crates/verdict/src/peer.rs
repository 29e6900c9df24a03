//! Who is at the other end of the connection, by its client certificate.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

mod certificate;

use crate::token::claims::Confirmation;

/// Longest certificate read, percent-encoded, in bytes.
const MAX_CERTIFICATE: usize = 64 * 1024;

/// A proven peer, or none. A certificate that is not proven, or reads in no one way, is a peer that matches
/// nothing: only a token without sender binding passes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    certificate: Option<ProvenCertificate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ProvenCertificate {
    /// `x5t#S256` of RFC 8705 section 3.1.
    thumbprint: String,
    /// The SPIFFE ID, where the certificate has exactly one URI and that is one.
    spiffe: Option<String>,
}

impl Peer {
    /// No certificate.
    #[must_use]
    pub const fn none() -> Self {
        Self { certificate: None }
    }

    /// The peer that presented this certificate: percent-encoded PEM as in Envoy's `connection.peer_certificate`
    /// attribute and `source.certificate` field. `validated` is whether Envoy verified its chain.
    #[must_use]
    pub fn from_url_encoded_pem(pem: &[u8], validated: bool) -> Self {
        Self { certificate: if validated { read(pem) } else { None } }
    }

    /// Whether every member of `cnf` holds for this peer. A DPoP key is never proven by a certificate.
    #[must_use]
    pub(crate) fn confirms(&self, cnf: &Confirmation) -> bool {
        let Confirmation { x5t_s256, jkt, spiffe } = cnf;
        let Some(certificate) = &self.certificate else {
            return false;
        };
        jkt.is_none()
            && (x5t_s256.is_some() || spiffe.is_some())
            && x5t_s256.as_ref().is_none_or(|wanted| *wanted == certificate.thumbprint)
            && spiffe.as_ref().is_none_or(|wanted| certificate.spiffe.as_ref() == Some(wanted))
    }
}

fn read(encoded: &[u8]) -> Option<ProvenCertificate> {
    if encoded.len() > MAX_CERTIFICATE {
        return None;
    }
    let pem = decode_percent(encoded)?;
    let (label, der) = pem_rfc7468::decode_vec(&pem).ok()?;
    if label != "CERTIFICATE" {
        return None;
    }
    // SPIFFE X.509-SVID section 2: exactly one URI. The subject's own name is never looked at.
    let spiffe = match certificate::uri_names(&der)?.as_slice() {
        [uri] => core::str::from_utf8(uri).ok().filter(|uri| is_spiffe_id(uri)).map(ToString::to_string),
        _ => None,
    };
    Some(ProvenCertificate { thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)), spiffe })
}

/// Whether `uri` is a SPIFFE ID (SPIFFE ID sections 2.1 to 2.3): trust domain, then non-empty segments of a
/// narrow alphabet.
#[must_use]
pub fn is_spiffe_id(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("spiffe://") else {
        return false;
    };
    let mut segments = rest.split('/');
    let trust_domain = segments.next().unwrap_or_default();
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    uri.len() <= 2048
        && (1..=255).contains(&trust_domain.len())
        && trust_domain.bytes().all(lower)
        && segments.all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        })
}

fn decode_percent(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let high = bytes.next().and_then(digit)?;
                let low = bytes.next().and_then(digit)?;
                high << 4 | low
            }
            other => other,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiffe_ids_are_strict() {
        assert!(is_spiffe_id("spiffe://example.org/agent/janitor-1"));
        for uri in [
            "spiffe://",
            "spiffe:///a",
            "spiffe://example.org/",
            "spiffe://example.org//a",
            "spiffe://example.org/..",
            "spiffe://example.org/a\0b",
            "spiffe://Example.org/a",
            "https://example.org",
            "spiffe://example.org/a%2fb",
            "spiffe://example.org:1/a",
            "spiffe://u@example.org/a",
        ] {
            assert!(!is_spiffe_id(uri), "{uri:?}");
        }
    }

    #[test]
    fn rubbish_proves_nothing() {
        for pem in [&b""[..], b"%", b"%zz", b"-----BEGIN CERTIFICATE-----", b"\xff"] {
            assert_eq!(Peer::from_url_encoded_pem(pem, true), Peer::none());
        }
    }
}
