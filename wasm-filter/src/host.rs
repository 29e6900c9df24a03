//! What the filter asks of the proxy that runs it.

use std::fmt;

use verdict::UnixTime;

/// Calls into the proxy. A call that fails leaves the request undecided, and so denied.
pub trait Host {
    /// Every field of the request in order, pseudo-header fields included, names in lower case.
    ///
    /// # Errors
    /// The host has no request headers at hand.
    fn request_headers(&self) -> Result<Vec<(String, Vec<u8>)>, HostError>;

    /// The current time.
    ///
    /// # Errors
    /// The host has no clock, or one set before 1970.
    fn now(&self) -> Result<UnixTime, HostError>;

    /// An attribute of the connection or request; `None` where it has none of that name.
    ///
    /// # Errors
    /// The attribute exists and cannot be handed over.
    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostError>;

    /// Sets an attribute that later filters and access logs read as filter state `wasm.<name>`.
    ///
    /// # Errors
    /// The host refused it.
    fn set_property(&self, name: &str, value: &str) -> Result<(), HostError>;

    /// Removes every field of this name from the request.
    ///
    /// # Errors
    /// The host refused it.
    fn remove_request_header(&self, name: &str) -> Result<(), HostError>;

    /// Replaces every field of this name by one.
    ///
    /// # Errors
    /// The host refused it.
    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError>;

    /// Answers the request itself: nothing reaches the upstream.
    ///
    /// # Errors
    /// The host refused it; the request then stays paused until a timeout ends it.
    fn send_response(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError>;

    /// Writes to the proxy's log.
    fn log(&self, level: Level, message: &str);

    /// Makes a metric known, under the same identity when the name is known already.
    ///
    /// # Errors
    /// The host refused it.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<MetricId, HostError>;

    /// Adds one to a counter. A count that is lost changes no verdict, so this cannot fail.
    fn increment(&self, counter: MetricId);

    /// Sets a gauge; cannot fail for the same reason.
    fn record(&self, gauge: MetricId, value: u64);
}

/// How urgent a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks into one request.
    Debug,
    /// An event operators keep.
    Info,
    /// The filter does not work as configured.
    Error,
}

/// What a metric holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only goes up.
    Counter,
    /// The latest value.
    Gauge,
}

/// The host's handle of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(pub u32);

/// A call the host did not carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError {
    /// What was called.
    pub call: &'static str,
    /// The host's status (proxy-wasm ABI 0.2.1, `proxy_status_t`).
    pub status: u32,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host call `{}` failed with status {}", self.call, self.status)
    }
}

impl std::error::Error for HostError {}
