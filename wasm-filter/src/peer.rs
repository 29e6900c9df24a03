//! Who is on the other side of the TLS connection, as Envoy itself saw it.
//!
//! Never `x-forwarded-client-cert`: a request header is what the client says, or what another proxy says about
//! another connection.

use verdict::Peer;

use crate::host::{Host, HostError};

/// The peer of this request's connection; `None` on a connection without client certificate.
///
/// # Errors
/// The connection has a certificate that the host cannot hand over.
pub fn read(host: &impl Host) -> Result<Option<Peer>, HostError> {
    let Some(certificate) = host.property(&["connection", "peer_certificate"])?.filter(|pem| !pem.is_empty())
    else {
        return Ok(None);
    };
    // Presented is not proven: without a trusted CA in its TLS context Envoy accepts any certificate.
    // A CEL boolean arrives as one byte.
    let validated = host.property(&["connection", "peer_certificate_valid"])?.as_deref() == Some(&[1]);
    Ok(Some(Peer::from_url_encoded_pem(&certificate, validated)))
}
