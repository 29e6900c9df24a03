//! Bounds of what strangers can make a listener hold or wait for.

use std::{num::NonZeroUsize, time::Duration};

/// Bounds of one listener. Each listener has its own: a flood at one leaves the others free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections.
    pub connections: NonZeroUsize,
    /// Requests in progress.
    pub requests: NonZeroUsize,
    /// Streams of data planes that follow the feed; in addition to `requests`.
    pub feed_streams: NonZeroUsize,
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

/// Most connections of callers that have proven nothing yet, where there is something to prove.
const NEWCOMERS: usize = 256;
/// Most requests in progress of such callers, and the longest that one may take: health and reflection are quick.
const STRANGER_REQUESTS: usize = 64;
const STRANGER_TIMEOUT: Duration = Duration::from_secs(5);

/// Streams of batches, of all clients together.
const BATCHES: usize = 64;

impl Limits {
    /// Connections that have proven nothing yet; in addition to `connections`.
    #[must_use]
    pub fn newcomers(&self) -> usize {
        self.connections.get().min(NEWCOMERS)
    }

    /// Streams of one data plane, where there are several: at most half of all.
    #[must_use]
    pub fn feed_streams_of_one(&self) -> usize {
        self.feed_streams.get().div_ceil(2)
    }

    /// Streams of clients' batches; in addition to `requests`.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.requests.get().min(BATCHES)
    }

    /// Streams of one client's batches: at most half of all.
    #[must_use]
    pub fn batches_of_one(&self) -> usize {
        self.batches().div_ceil(2)
    }

    /// Requests in progress without a proof; in addition to `requests`.
    #[must_use]
    pub fn stranger_requests(&self) -> usize {
        self.requests.get().min(STRANGER_REQUESTS)
    }

    /// Time for a request without a proof.
    #[must_use]
    pub fn stranger_timeout(&self) -> Duration {
        self.request_timeout.min(STRANGER_TIMEOUT)
    }
}

impl Default for Limits {
    fn default() -> Self {
        const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
        const FEED_STREAMS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
        Self {
            connections: CONNECTIONS,
            requests: CONNECTIONS,
            feed_streams: FEED_STREAMS,
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
