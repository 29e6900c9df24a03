//! Which data plane is calling.

pub(crate) mod bearer;
mod certificate;
mod refusals;

use std::{collections::BTreeSet, sync::Arc};

use http::Request;
use thiserror::Error;
use tonic::Status;

use crate::{config, scope::Scope};
pub use certificate::{CertificateError, ClientCertificate};

/// What whoever opens the Unix socket is called.
pub const SOCKET: &str = "socket";

/// How callers of a listener prove to be data planes. An address is never a proof: an agent in the same pod
/// shares the loopback interface.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Whoever reached the listener: a Unix socket that only its owner may open. All are one data plane.
    Socket(DataPlane),
    /// By bearer secret or client certificate, one of these.
    Listed(DataPlanes),
}

/// A data plane that proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPlane {
    /// As operators call it.
    pub name: Arc<str>,
    /// What it may see.
    pub scope: Scope,
    /// Whether it is handed services' own credentials.
    pub trusted_egress: bool,
}

/// The data planes of the configuration.
#[derive(Clone, Debug)]
pub struct DataPlanes(Arc<[Listed]>);

#[derive(Debug)]
struct Listed {
    proof: config::DataPlane,
    plane: DataPlane,
}

/// A caller that is no data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "this method is for data planes: show a client certificate, or send `authorization: Bearer` with a secret, of `data_planes`"
)]
pub struct NotADataPlane;

impl Identity {
    /// Whoever opens the Unix socket; it serves the data plane on this machine and may see everything. Whether that is
    /// trusted with credentials is said.
    #[must_use]
    pub fn socket(trusted_egress: bool) -> Self {
        Self::Socket(DataPlane { name: SOCKET.into(), scope: Scope::All, trusted_egress })
    }

    /// What all who can prove it are called.
    #[must_use]
    pub fn names(&self) -> BTreeSet<Arc<str>> {
        match self {
            Self::Socket(plane) => [Arc::clone(&plane.name)].into(),
            Self::Listed(planes) => planes.0.iter().map(|listed| Arc::clone(&listed.plane.name)).collect(),
        }
    }

    /// The data plane that sent `request`, by its header fields and the certificate of its connection.
    ///
    /// # Errors
    /// It is none. What of the request is wrong is not told.
    pub fn prove<B>(&self, request: &Request<B>) -> Result<&DataPlane, NotADataPlane> {
        match self {
            Self::Socket(plane) => Ok(plane),
            Self::Listed(planes) => planes.find(request).map(|listed| &listed.plane).ok_or(NotADataPlane),
        }
    }
}

impl Identity {
    /// Names the data plane that calls `service`, or has the refusal known.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, for whoever is none.
    pub fn authenticate<B>(&self, service: &'static str, request: &Request<B>) -> Result<&DataPlane, Status> {
        self.prove(request).map_err(|error| {
            refusals::note(service, &error);
            Status::unauthenticated(error.to_string())
        })
    }
}

impl DataPlanes {
    /// These data planes.
    #[must_use]
    pub fn new(planes: &[config::DataPlane]) -> Self {
        let listed = |proof: &config::DataPlane| Listed {
            plane: DataPlane {
                name: proof.name.as_str().into(),
                scope: proof.scope.clone(),
                trusted_egress: proof.trusted_egress,
            },
            proof: proof.clone(),
        };
        Self(planes.iter().map(listed).collect())
    }

    /// A secret that is sent must be right, whatever certificate comes with it. Two proofs must be of one data plane.
    fn find<B>(&self, request: &Request<B>) -> Option<&Listed> {
        let certificate = request.extensions().get::<ClientCertificate>();
        let by_certificate = certificate.and_then(|shown| {
            let names =
                |listed: &&Listed| listed.proof.certificate.as_ref().is_some_and(|name| shown.is(name));
            self.0.iter().find(names)
        });
        if !bearer::is_sent(request.headers()) {
            return by_certificate;
        }
        let by_secret = self.find_secret(bearer::secret(request.headers())?)?;
        by_certificate.is_none_or(|other| other.plane == by_secret.plane).then_some(by_secret)
    }

    /// Compares with every hash, in a time that does not depend on which one fits.
    fn find_secret(&self, secret: &[u8]) -> Option<&Listed> {
        let hash = bearer::hash(secret);
        let mut found = None;
        for listed in self.0.iter() {
            if listed.proof.secret_sha256.is_some_and(|expected| bearer::fits(&expected, &hash)) {
                found = Some(listed);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::config::CertificateName;

    const EDGE: &str = "spiffe://example.org/edge";

    fn plane(name: &str, secret: Option<&str>, certificate: Option<&str>) -> config::DataPlane {
        config::DataPlane {
            name: name.into(),
            secret_sha256: secret.map(|secret| bearer::hash(secret.as_bytes())),
            certificate: certificate.map(|uri| CertificateName::Uri(uri.into())),
            scope: Scope::All,
            trusted_egress: false,
        }
    }

    fn prove(certificate: Option<&str>, values: &[&str]) -> Result<String, NotADataPlane> {
        let planes = [plane("a", Some("one"), None), plane("b", Some("two"), Some(EDGE))];
        let mut request = Request::new(());
        for value in values {
            request.headers_mut().append(AUTHORIZATION, value.parse().unwrap());
        }
        if let Some(uri) = certificate {
            request.extensions_mut().insert(ClientCertificate::named(CertificateName::Uri(uri.into())));
        }
        let identity = Identity::Listed(DataPlanes::new(&planes));
        identity.prove(&request).map(|plane| plane.name.to_string())
    }

    #[test]
    fn a_secret_names_its_data_plane() {
        assert_eq!(prove(None, &["Bearer one"]).as_deref(), Ok("a"));
        assert_eq!(prove(None, &["bearer two"]).as_deref(), Ok("b"));
    }

    #[test]
    fn a_certificate_names_its_data_plane() {
        assert_eq!(prove(Some(EDGE), &[]).as_deref(), Ok("b"));
        assert_eq!(prove(Some("spiffe://example.org/edge/x"), &[]), Err(NotADataPlane));
    }

    #[test]
    fn of_two_proofs_neither_may_be_wrong() {
        assert_eq!(prove(Some(EDGE), &["Bearer two"]).as_deref(), Ok("b"));
        assert_eq!(prove(Some("spiffe://example.org/other"), &["Bearer one"]).as_deref(), Ok("a"));
        assert_eq!(prove(Some(EDGE), &["Bearer one"]), Err(NotADataPlane));
        assert_eq!(prove(Some(EDGE), &["Bearer three"]), Err(NotADataPlane));
    }

    #[test]
    fn anything_else_is_nobody() {
        for values in [
            &[][..],
            &["one"],
            &["Bearer "],
            &["Bearer three"],
            &["Basic one"],
            &["Bearer one", "Bearer one"],
        ] {
            assert_eq!(prove(None, values), Err(NotADataPlane), "{values:?}");
        }
    }
}
