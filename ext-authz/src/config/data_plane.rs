//! Data planes: who may ask for verdicts, and for what verdicts read.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{identity::SOCKET, scope::Scope};

/// An Envoy, or a group of them, that may call `Check` and `Watch` over TCP. It has at least one proof.
#[derive(Clone)]
pub struct DataPlane {
    /// For logs, metrics and operators.
    pub name: String,
    /// SHA-256 of a generated bearer secret of at least 256 bits.
    pub secret_sha256: Option<[u8; 32]>,
    /// Whom its client certificate names.
    pub certificate: Option<CertificateName>,
    /// Hosts that it sees.
    pub scope: Scope,
    /// Whether it is handed services' own credentials.
    pub trusted_egress: bool,
}

/// A name of a certificate (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateName {
    /// As SPIFFE IDs are.
    Uri(String),
    /// In lower case.
    Dns(String),
}

impl fmt::Debug for DataPlane {
    /// Nothing that proves.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, secret_sha256: _, certificate: _, scope, trusted_egress } = self;
        let mut shown = formatter.debug_struct("DataPlane");
        shown.field("name", name).field("scope", scope).field("trusted_egress", trusted_egress);
        shown.finish_non_exhaustive()
    }
}

/// A data plane as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataPlaneFile {
    name: String,
    #[serde(default, deserialize_with = "hash")]
    secret_sha256: Option<[u8; 32]>,
    certificate: Option<CertificateName>,
    audiences: Option<Vec<String>>,
    #[serde(default)]
    trusted_egress: bool,
}

impl fmt::Debug for DataPlaneFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DataPlaneFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A member that cannot be used, and why.
pub(super) type Fault = (&'static str, String);

impl DataPlaneFile {
    /// What it says, read. `before` are those that stand before it.
    pub(super) fn read(self, before: &[DataPlane]) -> Result<DataPlane, Fault> {
        let Self { name, secret_sha256, certificate, audiences, trusted_egress } = self;
        if !verdict::token::claims::is_name(&name) {
            return Err(("name", "must be 1 to 255 visible ASCII characters".to_owned()));
        }
        if name == SOCKET {
            return Err(("name", format!("`{SOCKET}` is the name of those at `listeners.data_plane`")));
        }
        if before.iter().any(|other| other.name == name) {
            return Err(("name", format!("`{name}` is listed twice")));
        }
        if secret_sha256.is_none() && certificate.is_none() {
            return Err(("secret_sha256", "is needed where there is no `certificate`".to_owned()));
        }
        let certificate = certificate.map(CertificateName::read).transpose()?;
        for other in before {
            let twice = |member| Err((member, format!("is that of `{}` too", other.name)));
            if secret_sha256.is_some() && secret_sha256 == other.secret_sha256 {
                return twice("secret_sha256");
            }
            if certificate.is_some() && certificate == other.certificate {
                return twice("certificate");
            }
        }
        Ok(DataPlane { name, secret_sha256, certificate, scope: read_audiences(audiences)?, trusted_egress })
    }
}

impl CertificateName {
    fn read(self) -> Result<Self, Fault> {
        match self {
            Self::Uri(uri) if uri.starts_with("spiffe:") && !verdict::peer::is_spiffe_id(&uri) => {
                Err(("certificate", format!("`{uri}` is no SPIFFE ID")))
            }
            Self::Uri(uri) if !uri.contains(':') || !uri.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(("certificate", format!("`{uri}` is no URI")))
            }
            Self::Uri(uri) => Ok(Self::Uri(uri)),
            Self::Dns(name) => {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                if name.is_empty() || !name.bytes().all(is_plain) {
                    return Err(("certificate", format!("`{name}` is no DNS name")));
                }
                Ok(Self::Dns(name.to_ascii_lowercase()))
            }
        }
    }
}

fn read_audiences(audiences: Option<Vec<String>>) -> Result<Scope, Fault> {
    let Some(audiences) = audiences else {
        return Ok(Scope::All);
    };
    if audiences.is_empty() {
        return Err(("audiences", "is empty: without this member, all are meant".to_owned()));
    }
    if let Some(bad) = audiences.iter().find(|name| !verdict::token::claims::is_name(name)) {
        return Err(("audiences", format!("`{bad}` must be 1 to 255 visible ASCII characters")));
    }
    Ok(Scope::Audiences(Arc::new(audiences.into_iter().collect::<BTreeSet<_>>())))
}

pub(super) fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[u8; 32]>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut hash = [0; 32];
    match base16ct::mixed::decode(&text, &mut hash) {
        Ok(decoded) if decoded.len() == 32 => Ok(Some(hash)),
        _ => Err(D::Error::custom("must be 64 hexadecimal digits: the SHA-256 hash of a generated secret")),
    }
}
