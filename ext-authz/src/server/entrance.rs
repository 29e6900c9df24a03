//! Addresses and certificates. A start that fails for one of them has made nothing and shown no secret.

use super::ServerError;
use crate::{
    config::{Config, Listeners},
    listen::{BoundSocket, Port, SocketError},
    tls::{Renewal, Tls},
};

/// What needs no data directory.
pub(super) struct Entrance {
    pub(super) tls: Option<(Tls, Renewal)>,
    pub(super) http: Port,
    pub(super) grpc: Port,
    pub(super) admin: Port,
}

/// What is in it.
pub(super) struct PrivateEntrance {
    pub(super) data_plane: BoundSocket,
    pub(super) operator: BoundSocket,
}

impl Entrance {
    /// Takes the addresses, and listens on none.
    pub(super) fn hold(config: &Config) -> Result<Self, ServerError> {
        let tls = config.tls.as_ref().map(Tls::open).transpose()?;
        let Listeners { http, grpc, admin, .. } = &config.listeners;
        Ok(Self { tls, http: Port::bind(*http)?, grpc: Port::bind(*grpc)?, admin: Port::bind(*admin)? })
    }
}

impl PrivateEntrance {
    /// Likewise.
    pub(super) fn hold(listeners: &Listeners) -> Result<Self, SocketError> {
        let Listeners { data_plane, operator, .. } = listeners;
        Ok(Self { data_plane: BoundSocket::bind(data_plane)?, operator: BoundSocket::bind(operator)? })
    }
}
