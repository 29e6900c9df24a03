//! Connections that this program opens over TCP.

use std::io;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// Why none can be opened.
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// The system's roots.
    #[error("cannot tell whom to trust: {0}")]
    Trust(io::Error),
    /// The TLS library.
    #[error("cannot use TLS: {0}")]
    Tls(rustls::Error),
}

/// A way to `uri`. Without TLS nobody's certificates are read: a container that has none can still ask what is beside it.
pub(crate) fn connector(uri: &Uri) -> Result<HttpsConnector<HttpConnector>, ConnectorError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if uri.scheme_str() == Some("https") {
        builder.with_provider_and_native_roots(provider).map_err(ConnectorError::Trust)?.https_only()
    } else {
        let versions =
            ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
        let nobody = versions.map_err(ConnectorError::Tls)?.with_root_certificates(RootCertStore::empty());
        builder.with_tls_config(nobody.with_no_client_auth()).https_or_http()
    };
    Ok(builder.enable_http1().build())
}

/// The cause, without the library's words around it.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
