//! What the filter asks of the proxy that runs it.

use std::fmt;

use verdict::UnixTime;

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The second it lies in.
    #[must_use]
    pub fn seconds(self) -> UnixTime {
        UnixTime(self.0 / 1000)
    }
}

/// Calls into the proxy. A call that fails leaves the request undecided, and so denied.
pub trait Host {
    /// Every field of the request in order, pseudo-header fields included, names in lower case.
    ///
    /// # Errors
    /// The host has no request headers at hand.
    fn request_headers(&self) -> Result<Vec<(String, Vec<u8>)>, HostError>;

    /// The request's body, of which the callbacks have told so many bytes.
    ///
    /// # Errors
    /// The host has not just that many at hand.
    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostError>;

    /// The current time.
    ///
    /// # Errors
    /// The host has no clock, or one set before 1970.
    fn now_millis(&self) -> Result<UnixMillis, HostError>;

    /// The second it lies in.
    ///
    /// # Errors
    /// As [`Host::now_millis`].
    fn now(&self) -> Result<UnixTime, HostError> {
        self.now_millis().map(UnixMillis::seconds)
    }

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

    /// Sends a message on a gRPC stream of the current context; `last`: and no other after it.
    ///
    /// # Errors
    /// The stream has ended.
    fn send(&self, stream: StreamId, message: &[u8], last: bool) -> Result<(), HostError>;

    /// Every field of this part of the answer in order, names in lower case.
    ///
    /// # Errors
    /// The host has none at hand.
    fn response_fields(&self, part: ResponsePart) -> Result<Vec<(String, Vec<u8>)>, HostError>;

    /// Replaces all of them.
    ///
    /// # Errors
    /// The host refused it.
    fn set_response_fields(&self, part: ResponsePart, fields: Vec<(&str, &[u8])>) -> Result<(), HostError>;

    /// Makes another context the current one until the callback returns: calls are about its request.
    ///
    /// # Errors
    /// It has ended.
    fn enter(&self, context: ContextId) -> Result<(), HostError>;

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

    /// Adds to a counter or a gauge; cannot fail for the same reason.
    fn add(&self, metric: MetricId, difference: i64);
}

/// What a configuration needs beyond its requests, to be fed.
pub trait FeedHost: Host {
    /// Nanoseconds since 1970.
    ///
    /// # Errors
    /// The host has no clock, or one set before 1970.
    fn clock(&self) -> Result<u64, HostError>;

    /// Calls the configuration back after so many milliseconds, and again each time.
    ///
    /// # Errors
    /// The host refused it.
    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError>;

    /// Opens a bidirectional gRPC stream of the current context. `upstream` is a serialized `GrpcService`.
    ///
    /// # Errors
    /// The upstream has no place to connect to.
    fn open_stream(
        &self,
        upstream: &str,
        service: &str,
        method: &str,
        metadata: Vec<(&str, &[u8])>,
    ) -> Result<StreamId, HostError>;

    /// Calls a gRPC method, given as service and name, of the current context, for at most so many milliseconds.
    /// `upstream` is a serialized `GrpcService`.
    ///
    /// # Errors
    /// The upstream has no place to connect to; there will be no answer.
    fn call(
        &self,
        upstream: &str,
        method: (&str, &str),
        metadata: Vec<(&str, &[u8])>,
        message: &[u8],
        timeout: u32,
    ) -> Result<CallId, HostError>;

    /// The message that the current callback is about, up to `size` bytes.
    ///
    /// # Errors
    /// The host has none.
    fn message(&self, size: usize) -> Result<Vec<u8>, HostError>;

    /// Ends a stream of the current context at once; nothing more is heard of it.
    fn cancel(&self, stream: StreamId);

    /// What all workers of the proxy share under `key`, and which change made it so.
    ///
    /// # Errors
    /// The host refused it.
    fn shared(&self, key: &str) -> Result<SharedValue, HostError>;

    /// Shares `value` under `key` if nobody has changed it after `change`; `None` overwrites. `false`: somebody has.
    /// Where there is no value yet, any `change` will do.
    ///
    /// # Errors
    /// The host refused it.
    fn share(&self, key: &str, value: &[u8], change: Option<u32>) -> Result<bool, HostError>;

    /// Lets a request go on that was paused.
    ///
    /// # Errors
    /// The host refused it; the request then stays paused until a timeout ends it.
    fn resume_request(&self) -> Result<(), HostError>;
}

/// A value that the proxy's workers share, and the host's handle of its last change; `None` twice where there is
/// none.
pub type SharedValue = (Option<Vec<u8>>, Option<u32>);

/// The host's name of a configuration or a request on one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextId(pub u32);

/// Where a request belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The configuration that it came under.
    pub root: ContextId,
    /// The request itself.
    pub context: ContextId,
}

/// The host's name of a gRPC stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId(pub u32);

/// The host's name of a gRPC call that has one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(pub u32);

/// Fields of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// Before the body, its status among them.
    Headers,
    /// After it.
    Trailers,
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
