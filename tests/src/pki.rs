//! Certificates for mutual TLS, good and bad, and the client side of the handshake.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, string::Ia5String};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::error::{IoContext, Result, unexpected};

/// The SPIFFE id that the corpus binds tokens to.
pub const HOLDER: &str = "spiffe://example.org/agent/janitor-7";
const OTHER: &str = "spiffe://example.org/agent/janitor-8";
/// The DNS name of the server certificate.
pub const SERVER: &str = "envoy.test";

/// A client certificate with its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    pem: String,
    trusted: bool,
}

impl Identity {
    /// The certificate as Envoy shows it to filters: PEM, URL-encoded.
    pub fn url_encoded_pem(&self) -> String {
        let encode = |byte: u8| match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        self.pem.bytes().map(encode).collect()
    }

    /// RFC 8705 `x5t#S256`.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate))
    }

    /// Whether Envoy's trusted authority issued it.
    pub fn trusted(&self) -> bool {
        self.trusted
    }
}

/// A certificate authority, a server certificate on disk, and named client identities.
#[derive(Debug)]
pub struct Pki {
    directory: PathBuf,
    authority: CertificateDer<'static>,
    identities: BTreeMap<&'static str, Identity>,
    /// PEM file of the authority that Envoy trusts.
    pub authority_file: PathBuf,
    /// PEM file of Envoy's own certificate.
    pub server_file: PathBuf,
    /// PEM file of Envoy's own key.
    pub server_key_file: PathBuf,
}

impl Pki {
    /// Makes fresh certificates; what Envoy needs is written to `directory`.
    ///
    /// # Errors
    /// A certificate that cannot be made, or a file that cannot be written.
    pub fn new(directory: &Path) -> Result<Self> {
        let trusted = Authority::new("trusted")?;
        let stranger = Authority::new("stranger")?;
        let server = trusted.issue("envoy", &[dns(SERVER)?], true)?;
        let nul = format!("{HOLDER}\0.example.org");
        let plan: [(&'static str, &Authority, &str, Vec<SanType>); 9] = [
            ("holder", &trusted, "holder", vec![uri(HOLDER)?]),
            ("other", &trusted, "other", vec![uri(OTHER)?]),
            ("two-uris", &trusted, "two", vec![uri(HOLDER)?, uri(OTHER)?]),
            ("two-uris-reversed", &trusted, "two", vec![uri(OTHER)?, uri(HOLDER)?]),
            ("nul-in-uri", &trusted, "nul", vec![uri(&nul)?]),
            ("subject-only", &trusted, HOLDER, Vec::new()),
            ("subject-and-other", &trusted, HOLDER, vec![uri(OTHER)?]),
            ("dns-only", &trusted, "dns", vec![dns("janitor-7.example.org")?]),
            ("stranger", &stranger, "holder", vec![uri(HOLDER)?]),
        ];
        let mut identities = BTreeMap::new();
        for (name, authority, subject, names) in plan {
            identities.insert(name, authority.issue(subject, &names, authority.name == trusted.name)?);
        }
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            let path = directory.join(name);
            fs::write(&path, text).context(|| format!("write `{name}`"))?;
            Ok(path)
        };
        Ok(Self {
            directory: directory.to_owned(),
            authority_file: write("ca.pem", &trusted.pem)?,
            server_file: write("server.pem", &server.pem)?,
            server_key_file: write("server.key", &key_pem(&server.key))?,
            authority: trusted.certificate,
            identities,
        })
    }

    /// The identity `name`.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn identity(&self, name: &str) -> Result<&Identity> {
        self.identities.get(name).ok_or_else(|| unexpected(format!("no identity `{name}`")))
    }

    /// PEM files of the identity `name`, for a program that is to present it: certificate and key.
    ///
    /// # Errors
    /// There is none of that name, or a file cannot be written.
    pub fn save(&self, name: &str) -> Result<(PathBuf, PathBuf)> {
        let identity = self.identity(name)?;
        let save = |extension: &str, text: &str| -> Result<PathBuf> {
            let path = self.directory.join(name).with_extension(extension);
            fs::write(&path, text).context(|| format!("write `{}`", path.display()))?;
            Ok(path)
        };
        Ok((save("pem", &identity.pem)?, save("key", &key_pem(&identity.key))?))
    }

    /// A TLS connection to Envoy, presenting `identity` if one is given; `protocol` is the ALPN one.
    ///
    /// # Errors
    /// A handshake that fails.
    pub async fn connect(
        &self,
        address: SocketAddr,
        identity: Option<&Identity>,
        protocol: &str,
    ) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).map_err(unexpected)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unexpected)?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(
                    vec![identity.certificate.clone()],
                    PrivateKeyDer::Pkcs8(identity.key.clone_key()),
                )
                .map_err(unexpected)?,
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(address).await.context(|| format!("connect to {address}"))?;
        let name = ServerName::try_from(SERVER).map_err(unexpected)?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .context(|| "TLS handshake".to_owned())
    }
}

struct Authority {
    name: &'static str,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &'static str) -> Result<Self> {
        let key = KeyPair::generate().map_err(unexpected)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).map_err(unexpected)?;
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Ok(Self { name, issuer: Issuer::new(params, key), certificate: der, pem })
    }

    fn issue(&self, subject: &str, names: &[SanType], trusted: bool) -> Result<Identity> {
        let key = KeyPair::generate().map_err(unexpected)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.subject_alt_names = names.to_vec();
        let certificate = params.signed_by(&key, &self.issuer).map_err(unexpected)?;
        Ok(Identity {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
            trusted,
        })
    }
}

fn uri(text: &str) -> Result<SanType> {
    Ia5String::try_from(text).map(SanType::URI).map_err(unexpected)
}

fn dns(text: &str) -> Result<SanType> {
    Ia5String::try_from(text).map(SanType::DnsName).map_err(unexpected)
}

fn key_pem(key: &PrivatePkcs8KeyDer<'_>) -> String {
    crate::forge::pem("PRIVATE KEY", key.secret_pkcs8_der())
}
