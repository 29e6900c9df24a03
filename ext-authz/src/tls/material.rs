//! From files to what rustls serves with.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::TlsError;
use crate::{config::TlsFiles, files::FileError};

/// The files' content at one moment.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Material {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles { certificate, key, client_ca } = files;
        let read = |member, path: &Path| {
            fs::read(path)
                .map_err(|error| TlsError::File { member, source: FileError::new("read", path, error) })
        };
        Ok(Self {
            certificate: read("tls.certificate", certificate)?,
            key: read("tls.key", key)?,
            client_ca: client_ca.as_deref().map(|path| read("tls.client_ca", path)).transpose()?,
        })
    }

    /// For HTTP and for gRPC. `files` are named in errors.
    pub(super) fn server_configs(&self, files: &TlsFiles) -> Result<(ServerConfig, ServerConfig), TlsError> {
        let verifier = match (&self.client_ca, &files.client_ca) {
            (Some(roots), Some(path)) => verifier(roots, path)?,
            _ => WebPkiClientVerifier::no_client_auth(),
        };
        let http = self.server_config(files, WebPkiClientVerifier::no_client_auth(), b"http/1.1")?;
        Ok((http, self.server_config(files, verifier, b"h2")?))
    }

    fn server_config(
        &self,
        files: &TlsFiles,
        verifier: Arc<dyn ClientCertVerifier>,
        protocol: &[u8],
    ) -> Result<ServerConfig, TlsError> {
        let chain = certificates(&self.certificate, &files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|source| TlsError::Pem { path: files.key.clone(), source })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Provider)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|source| TlsError::Pair {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
                source,
            })?;
        config.alpn_protocols = vec![protocol.to_vec()];
        // A resumed session would bring the client's certificate along, unverified by the roots of today.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

/// Asks clients for a certificate. One that is shown must hold; who shows none has other proofs, or is a stranger.
fn verifier(pem: &[u8], path: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(pem, path)? {
        roots.add(root).map_err(|source| TlsError::Root { path: path.to_owned(), source })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .allow_unauthenticated()
        .build()
        .map_err(|source| TlsError::Verifier { path: path.to_owned(), source })
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(certificates)
}
