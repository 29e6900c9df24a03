//! Ways to a server: TCP, TLS over it, a Unix socket.

use std::{path::PathBuf, pin::Pin};

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use super::Address;
pub(super) use crate::outgoing::innermost;
use crate::outgoing::{ConnectorError, connector};

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
    #[error(transparent)]
    Connector(#[from] ConnectorError),
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
