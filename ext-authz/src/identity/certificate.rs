//! Whom a client certificate names. That its chain holds was checked in the handshake.

use std::sync::Arc;

use thiserror::Error;
use x509_parser::{
    error::X509Error,
    extensions::GeneralName,
    prelude::{FromDer as _, X509Certificate},
};

use crate::config::CertificateName;

/// The one name of a verified client certificate, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(Arc<CertificateName>);

/// A verified certificate that names nobody.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CertificateError {
    /// Two readers might understand it differently.
    #[error("the client certificate cannot be read: {0}")]
    Unreadable(X509Error),
    /// SPIFFE X.509-SVID section 2 wants exactly one URI. The subject's own name is never looked at.
    #[error(
        "the client certificate has {uris} URIs and {dns} DNS names: one URI is an identity, or else one DNS name"
    )]
    Ambiguous {
        /// URIs among the subject alternative names.
        uris: usize,
        /// DNS names among them.
        dns: usize,
    },
}

impl ClientCertificate {
    /// Reads the end entity's certificate of a handshake.
    ///
    /// # Errors
    /// It names nobody.
    pub fn from_verified_der(der: &[u8]) -> Result<Self, CertificateError> {
        let unreadable = CertificateError::Unreadable;
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| unreadable(error.into()))?;
        // An extension that is there twice is an error, too.
        let names = certificate.subject_alternative_name().map_err(unreadable)?;
        let (mut uris, mut dns) = (Vec::new(), Vec::new());
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                GeneralName::DNSName(name) => dns.push(name.to_ascii_lowercase()),
                _ => {}
            }
        }
        // A certificate with a URI is named by that: its DNS names are for those who connect to it.
        let name = match (uris.as_mut_slice(), dns.as_mut_slice()) {
            ([uri], _) => CertificateName::Uri(std::mem::take(uri)),
            ([], [name]) => CertificateName::Dns(std::mem::take(name)),
            (uris, dns) => return Err(CertificateError::Ambiguous { uris: uris.len(), dns: dns.len() }),
        };
        Ok(Self(Arc::new(name)))
    }

    pub(super) fn is(&self, name: &CertificateName) -> bool {
        *self.0 == *name
    }

    #[cfg(test)]
    pub(super) fn named(name: CertificateName) -> Self {
        Self(Arc::new(name))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType, string::Ia5String};

    use super::*;

    fn read(uris: &[&str], dns: &[&str]) -> Result<ClientCertificate, CertificateError> {
        let mut params = CertificateParams::default();
        let text = |text: &&str| Ia5String::try_from(*text).unwrap();
        params.subject_alt_names = uris.iter().map(text).map(SanType::URI).collect();
        params.subject_alt_names.extend(dns.iter().map(text).map(SanType::DnsName));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ClientCertificate::from_verified_der(certificate.der())
    }

    fn uri(text: &str) -> ClientCertificate {
        ClientCertificate::named(CertificateName::Uri(text.into()))
    }

    #[test]
    fn one_uri_is_an_identity_or_else_one_dns_name() {
        assert_eq!(read(&["spiffe://a/b"], &[]), Ok(uri("spiffe://a/b")));
        assert_eq!(read(&["spiffe://a/b"], &["a", "b"]), Ok(uri("spiffe://a/b")));
        let dns = ClientCertificate::named(CertificateName::Dns("edge.test".into()));
        assert_eq!(read(&[], &["Edge.test"]), Ok(dns));
    }

    #[test]
    fn anything_else_names_nobody() {
        for (uris, dns) in [(&["spiffe://a", "spiffe://b"][..], &[][..]), (&[], &["a", "b"]), (&[], &[])] {
            let (counted, names) = (uris.len(), dns.len());
            assert_eq!(read(uris, dns), Err(CertificateError::Ambiguous { uris: counted, dns: names }));
        }
        let rubbish = ClientCertificate::from_verified_der(b"rubbish");
        assert!(matches!(rubbish, Err(CertificateError::Unreadable(_))), "{rubbish:?}");
    }
}
