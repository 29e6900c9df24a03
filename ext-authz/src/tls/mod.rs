//! TLS of the HTTP and gRPC listeners: from files that may change while the server runs.

mod error;
mod material;
mod reload;

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{config::TlsFiles, files, identity::ClientCertificate};
use error::HandshakeError;
pub use error::TlsError;
use material::Material;
pub use reload::Renewal;

/// What the listeners prove themselves with, kept up to date by a [`Renewal`].
#[derive(Clone, Debug)]
pub struct Tls {
    http: Arc<ArcSwap<ServerConfig>>,
    grpc: Arc<ArcSwap<ServerConfig>>,
}

/// One listener's side of the handshake.
#[derive(Clone, Debug)]
pub struct Doorman(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One cannot be read, or they make no pair.
    pub fn open(paths: &TlsFiles) -> Result<(Self, Renewal), TlsError> {
        let material = Material::read(paths)?;
        if files::is_open_to_others(&paths.key) {
            tracing::warn!(path = %paths.key.display(), "others than its owner may use the TLS key");
        }
        let (http, grpc) = material.server_configs(paths)?;
        let shared = |config| Arc::new(ArcSwap::from_pointee(config));
        let tls = Self { http: shared(http), grpc: shared(grpc) };
        Ok((tls.clone(), Renewal::new(tls, paths.clone(), material)))
    }

    /// For HTTP/1.1 clients, who show no certificate.
    #[must_use]
    pub fn http(&self) -> Doorman {
        Doorman(Arc::clone(&self.http))
    }

    /// For gRPC clients, who may show one.
    #[must_use]
    pub fn grpc(&self) -> Doorman {
        Doorman(Arc::clone(&self.grpc))
    }
}

impl Doorman {
    /// Shakes hands. A certificate that was shown holds; whom it names, if it names anyone, is returned.
    pub(crate) async fn admit<S>(
        &self,
        stream: S,
    ) -> Result<(TlsStream<S>, Option<ClientCertificate>), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = TlsAcceptor::from(self.0.load_full()).accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|der| ClientCertificate::from_verified_der(der));
        // Whoever is not named may still know a secret.
        let certificate = certificate.and_then(|named| {
            named.inspect_err(|error| tracing::debug!(%error, "a client certificate names nobody")).ok()
        });
        Ok((stream, certificate))
    }
}
