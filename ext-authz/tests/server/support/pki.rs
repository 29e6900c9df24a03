//! Certificates, and clients that show them.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, string::Ia5String};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// The server's name in its certificate.
const SERVER: &str = "writ.test";

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pub(crate) pem: String,
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: CertificateDer<'static>,
    key_der: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: Issuer::new(params, key), certificate: der, pem }
    }

    /// For the server.
    pub(crate) fn server(&self) -> Pair {
        self.issue(&[], &[SERVER], None)
    }

    /// For a client with these names; it ends at `until`.
    pub(crate) fn issue(&self, uris: &[&str], dns: &[&str], until: Option<SystemTime>) -> Pair {
        let key = KeyPair::generate().unwrap();
        let text = |text: &&str| Ia5String::try_from(*text).unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = uris.iter().map(text).map(SanType::URI).collect();
        params.subject_alt_names.extend(dns.iter().map(text).map(SanType::DnsName));
        if let Some(until) = until {
            params.not_after = until.into();
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: PrivatePkcs8KeyDer::from(key.serialize_der()),
        }
    }

    /// Connects to a server of this authority. Where the server refuses the certificate, reading says so.
    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        client: Option<&Pair>,
        protocol: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(SERVER).unwrap();
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(self.client_config(client, protocol)).connect(name, stream).await
    }

    /// A channel for gRPC.
    pub(crate) async fn channel(
        &self,
        address: SocketAddr,
        client: Option<&Pair>,
    ) -> Result<Channel, tonic::transport::Error> {
        let connector = TlsConnector::from(self.client_config(client, "h2"));
        let connect = service_fn(move |_| {
            let connector = connector.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                let name = ServerName::try_from(SERVER).map_err(std::io::Error::other)?;
                connector.connect(name, stream).await.map(TokioIo::new)
            }
        });
        Endpoint::from_static("http://writ.test").connect_with_connector(connect).await
    }

    fn client_config(&self, client: Option<&Pair>, protocol: &str) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let key = PrivateKeyDer::Pkcs8(pair.key_der.clone_key());
                builder.with_client_auth_cert(vec![pair.der.clone()], key).unwrap()
            }
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Arc::new(config)
    }
}
