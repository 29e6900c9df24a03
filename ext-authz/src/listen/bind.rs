//! TCP sockets.

use std::{io, net::SocketAddr};

use thiserror::Error;
use tokio::net::TcpListener;

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// Listens on `address`; port 0 is any free port.
///
/// # Errors
/// The address is taken, not this machine's, or not this user's.
pub async fn bind_tcp(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let error = |source| BindError { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}
