//! A service's own credential, as far as a verdict knows of it: what it is called, where it may go, and which header field
//! carries it. The secret itself is the adapter's to fetch.

use alloc::{string::String, vec::Vec};

use crate::{
    denial::{DenialCode, Refusal},
    document::CredentialDocument,
};

/// What a granted request must carry upstream instead of its token, or it must not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    name: String,
    clusters: Vec<String>,
    header: String,
}

/// Fields that say how a message is framed, where it goes or how it is read. A secret has no place there.
const FRAMING: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field of this name, in lower case, can carry a credential.
///
/// # Errors
/// Why not.
pub fn check_header_name(name: &str) -> Result<(), &'static str> {
    // RFC 9110 section 5.6.2, without upper case. Underscores are left out: gateway interfaces take them for hyphens.
    let is_token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.!#$%&'*+^`|~".contains(&byte);
    if name.is_empty() || name.len() > 128 || !name.bytes().all(is_token) {
        return Err("a header name has 1 to 128 letters, digits and `-`");
    }
    if FRAMING.contains(&name) || name.starts_with("x-writ-") || name.starts_with("x-envoy-") {
        return Err("this header means something else to Envoy or Writ");
    }
    Ok(())
}

impl Injection {
    /// Compiles a document.
    pub(crate) fn compile(document: &CredentialDocument) -> Result<Self, &'static str> {
        let CredentialDocument { name, clusters, header } = document;
        check_header_name(header)?;
        if clusters.is_empty() {
            return Err("a credential names no cluster that it may reach");
        }
        if !crate::token::claims::is_name(name) {
            return Err("a credential's name has 1 to 255 visible ASCII characters");
        }
        Ok(Self { name: name.clone(), clusters: clusters.clone(), header: header.clone() })
    }

    /// `namespace/name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header field, in lower case.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Why a request is refused that Envoy would send to another cluster.
    #[must_use]
    pub const fn misrouted(&self) -> Refusal {
        Refusal::new(
            DenialCode::NoRoute,
            "Envoy's route leads to a cluster that the host's credential is not for",
        )
    }

    /// Whether it may go to the Envoy cluster of this name.
    #[must_use]
    pub fn may_reach(&self, cluster: &[u8]) -> bool {
        self.clusters.iter().any(|known| known.as_bytes() == cluster)
    }
}
