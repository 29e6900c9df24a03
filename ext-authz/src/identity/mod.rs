//! Which data plane is asking.

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

use crate::config::DataPlane;

/// How callers of a listener prove to be data planes. An address is never a proof: an agent in the same pod
/// shares the loopback interface.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Whoever reached the listener: a Unix socket that only its owner may open.
    Socket,
    /// A bearer secret of one of these.
    Bearer(DataPlanes),
}

/// Data planes with bearer secrets.
#[derive(Clone, Debug)]
pub struct DataPlanes(Vec<DataPlane>);

/// A caller that is no data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this method is for data planes: send `authorization: Bearer` with a secret of `data_planes`")]
pub(super) struct NotADataPlane;

impl DataPlanes {
    /// These data planes.
    #[must_use]
    pub fn new(planes: Vec<DataPlane>) -> Self {
        Self(planes)
    }
}

impl Identity {
    /// Whether whoever sent `headers` is a data plane.
    #[must_use]
    pub fn is_proven_by(&self, headers: &HeaderMap) -> bool {
        self.prove(headers).is_ok()
    }

    /// Names the data plane that sent `headers`.
    pub(super) fn prove(&self, headers: &HeaderMap) -> Result<&str, NotADataPlane> {
        match self {
            Self::Socket => Ok("socket"),
            Self::Bearer(planes) => planes.find(bearer(headers).ok_or(NotADataPlane)?).ok_or(NotADataPlane),
        }
    }
}

impl DataPlanes {
    /// Compares with every hash, in a time that does not depend on which one fits.
    fn find(&self, secret: &[u8]) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let mut found = None;
        for plane in &self.0 {
            let fits: Choice = plane.secret_sha256.ct_eq(&hash);
            if bool::from(fits) {
                found = Some(plane.name.as_str());
            }
        }
        found
    }
}

/// RFC 6750 section 2.1: exactly one field.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, secret) = value.as_bytes().split_at_checked("bearer ".len())?;
    if scheme.eq_ignore_ascii_case(b"bearer ") { Some(secret) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prove(values: &[&str]) -> Result<String, NotADataPlane> {
        let plane = |name: &str, secret: &str| DataPlane {
            name: name.into(),
            secret_sha256: Sha256::digest(secret).into(),
        };
        let identity = Identity::Bearer(DataPlanes::new(vec![plane("a", "one"), plane("b", "two")]));
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        identity.prove(&headers).map(str::to_owned)
    }

    #[test]
    fn a_secret_names_its_data_plane() {
        assert_eq!(prove(&["Bearer one"]).as_deref(), Ok("a"));
        assert_eq!(prove(&["bearer two"]).as_deref(), Ok("b"));
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
            assert_eq!(prove(values), Err(NotADataPlane), "{values:?}");
        }
    }
}
