//! Bounds of what strangers can make a listener hold or wait for.

use std::{num::NonZeroUsize, time::Duration};

/// Bounds of one listener. Each listener has its own: a flood at one leaves the others free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections.
    pub connections: NonZeroUsize,
    /// Requests in progress.
    pub requests: NonZeroUsize,
    /// Bytes of one request's header fields; at least 8 KiB.
    pub header_bytes: usize,
    /// Bytes of one request body of the HTTP listeners.
    pub body_bytes: usize,
    /// Bytes of one gRPC message; `Check` carries all header fields of a request.
    pub message_bytes: usize,
    /// Time from a connection's start to its first request, and for each later request's header fields.
    pub header_timeout: Duration,
    /// Time from a request's header fields to the end of its response.
    pub request_timeout: Duration,
    /// Time that a connection may stay open without a request.
    pub idle_timeout: Duration,
    /// Time that requests in progress get when the server stops.
    pub drain_timeout: Duration,
}

/// Smallest header buffer that the HTTP library accepts, bytes.
pub(super) const MIN_HEADER_BYTES: usize = 8 * 1024;

impl Default for Limits {
    fn default() -> Self {
        const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
        Self {
            connections: CONNECTIONS,
            requests: CONNECTIONS,
            header_bytes: 16 * 1024,
            body_bytes: 64 * 1024,
            message_bytes: 512 * 1024,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
