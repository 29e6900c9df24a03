//! Ways to a server: TCP, TLS over it, a Unix socket.

use std::{io, path::PathBuf, pin::Pin};

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use super::Address;

/// Where a server is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A listener of its own.
    Url(Address),
    /// A socket that only its user may open.
    Socket(PathBuf),
}

/// What bytes go through, whichever it is.
pub(super) trait Io: Read + Write + Send {}

impl<T: Read + Write + Send> Io for T {}

/// Why there is no way.
#[derive(Debug, Error)]
pub(in crate::cli) enum TransportError {
    #[error("cannot tell whom to trust: {0}")]
    Trust(io::Error),
    #[error("cannot use TLS: {0}")]
    Tls(rustls::Error),
    /// What the operating system or TLS said.
    #[error("{0}")]
    Unreachable(String),
}

/// Connects to where `uri` is, or to the socket whatever `uri` says.
pub(super) async fn connect(place: &Place, uri: &Uri) -> Result<Pin<Box<dyn Io>>, TransportError> {
    match place {
        Place::Url(_) => {
            let connected = connector(uri)?.oneshot(uri.clone()).await;
            Ok(Box::pin(connected.map_err(|error| TransportError::Unreachable(innermost(&*error)))?))
        }
        Place::Socket(path) => {
            let connected = UnixStream::connect(path).await;
            let stream = connected.map_err(|error| TransportError::Unreachable(error.to_string()))?;
            Ok(Box::pin(TokioIo::new(stream)))
        }
    }
}

/// Without TLS nobody's certificates are read: a container that has none can still ask the server beside it.
fn connector(uri: &Uri) -> Result<HttpsConnector<HttpConnector>, TransportError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if uri.scheme_str() == Some("https") {
        builder.with_provider_and_native_roots(provider).map_err(TransportError::Trust)?.https_only()
    } else {
        let versions =
            ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
        let nobody = versions.map_err(TransportError::Tls)?.with_root_certificates(RootCertStore::empty());
        builder.with_tls_config(nobody.with_no_client_auth()).https_or_http()
    };
    Ok(builder.enable_http1().build())
}

/// The cause, without the library's words around it.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
