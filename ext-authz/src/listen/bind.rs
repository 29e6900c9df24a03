//! TCP sockets.

use std::{io, net::SocketAddr};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait for the server to take them. The kernel may keep fewer.
pub(super) const BACKLOG: u32 = 1024;

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// An address that nobody else gets, where connections are refused for now: a client of several servers goes to
/// another one, and does not wait for this one's start.
#[derive(Debug)]
pub struct Port {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Port {
    /// Takes `address`; port 0 is any free port.
    ///
    /// # Errors
    /// The address is taken, not this machine's, or not this user's.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let error = |source| BindError { address, source };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(error)?;
        // Else the connections of a server that ended a moment ago are in the way.
        socket.set_reuseaddr(true).map_err(error)?;
        socket.bind(address).map_err(error)?;
        let address = socket.local_addr().map_err(error)?;
        Ok(Self { socket, address })
    }

    /// Which one it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections are accepted.
    ///
    /// # Errors
    /// Somebody else listens there since.
    pub fn listen(self) -> Result<TcpListener, BindError> {
        let Self { socket, address } = self;
        socket.listen(BACKLOG).map_err(|source| BindError { address, source })
    }
}
