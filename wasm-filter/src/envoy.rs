//! The host of the sandbox: proxy-wasm's calls and callbacks, translated one to one.
//!
//! Only `hostcalls` functions are used. The methods of the SDK's traits unwrap; the functions end in a trap,
//! too, on a status that the ABI does not allow for the call, and Envoy answers 503 then.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType, Status},
};

use crate::{
    host::{
        CallId, ContextId, FeedHost, Host, HostError, Level, MetricId, MetricKind, ResponsePart, SharedValue,
        StreamId, UnixMillis,
    },
    root::Root,
    stream::{self, Flow, Stream},
};

proxy_wasm::main! {{
    // Also installs a panic hook, so that a trap leaves its reason in Envoy's log.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|context| Box::new(EnvoyRoot(Root::new(Envoy, ContextId(context)))));
}}

/// Envoy, as a proxy-wasm 0.2.1 module sees it.
#[derive(Clone, Copy, Debug)]
struct Envoy;

fn failed(call: &'static str) -> impl Fn(Status) -> HostError {
    move |status| HostError { call, status: status as u32 }
}

fn map_of(part: ResponsePart) -> MapType {
    match part {
        ResponsePart::Headers => MapType::HttpResponseHeaders,
        ResponsePart::Trailers => MapType::HttpResponseTrailers,
    }
}

fn since_epoch() -> Result<Duration, HostError> {
    let call = "get_current_time";
    let now = hostcalls::get_current_time().map_err(failed(call))?;
    now.duration_since(UNIX_EPOCH).map_err(|_| failed(call)(Status::InternalFailure))
}

impl Host for Envoy {
    fn request_headers(&self) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        // Whole and as bytes: a read by name gives the first of several values only. Names are texts here, and
        // the SDK traps on one that is not UTF-8; Envoy's codecs refuse every name that is not an RFC 9110
        // token before a filter sees it.
        hostcalls::get_map_bytes(MapType::HttpRequestHeaders).map_err(failed("get_header_map_pairs"))
    }

    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostError> {
        let call = "get_buffer";
        // An empty body is one: the host has no buffer for it.
        let body = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size).map_err(failed(call))?;
        let body = body.unwrap_or_default();
        if body.len() == size { Ok(body) } else { Err(failed(call)(Status::InternalFailure)) }
    }

    fn now_millis(&self) -> Result<UnixMillis, HostError> {
        let since = since_epoch()?;
        Ok(UnixMillis(since.as_secs().saturating_mul(1000).saturating_add(since.subsec_millis().into())))
    }

    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostError> {
        hostcalls::get_property(path.to_vec()).map_err(failed("get_property"))
    }

    fn set_property(&self, name: &str, value: &str) -> Result<(), HostError> {
        hostcalls::set_property(vec![name], Some(value.as_bytes())).map_err(failed("set_property"))
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostError> {
        hostcalls::remove_map_value(MapType::HttpRequestHeaders, name)
            .map_err(failed("remove_header_map_value"))
    }

    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value))
            .map_err(failed("replace_header_map_value"))
    }

    fn send_response(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError> {
        hostcalls::send_http_response(status.into(), headers.to_vec(), Some(body))
            .map_err(failed("send_local_response"))
    }

    fn response_fields(&self, part: ResponsePart) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        // Names are texts, as in requests: Envoy's codecs let nothing else in.
        hostcalls::get_map_bytes(map_of(part)).map_err(failed("get_header_map_pairs"))
    }

    fn set_response_fields(&self, part: ResponsePart, fields: Vec<(&str, &[u8])>) -> Result<(), HostError> {
        hostcalls::set_map_bytes(map_of(part), fields).map_err(failed("set_header_map_pairs"))
    }

    fn send(&self, StreamId(stream): StreamId, message: &[u8], last: bool) -> Result<(), HostError> {
        hostcalls::send_grpc_stream_message(stream, Some(message), last).map_err(failed("grpc_send"))
    }

    fn enter(&self, ContextId(context): ContextId) -> Result<(), HostError> {
        hostcalls::set_effective_context(context).map_err(failed("set_effective_context"))
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Error => LogLevel::Error,
        };
        // Where the log cannot be written there is nowhere to say so.
        let _ = hostcalls::log(level, message);
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<MetricId, HostError> {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
        };
        hostcalls::define_metric(kind, name).map(MetricId).map_err(failed("define_metric"))
    }

    fn increment(&self, MetricId(counter): MetricId) {
        let _ = hostcalls::increment_metric(counter, 1);
    }

    fn record(&self, MetricId(gauge): MetricId, value: u64) {
        let _ = hostcalls::record_metric(gauge, value);
    }

    fn add(&self, MetricId(metric): MetricId, difference: i64) {
        let _ = hostcalls::increment_metric(metric, difference);
    }
}

impl FeedHost for Envoy {
    fn clock(&self) -> Result<u64, HostError> {
        since_epoch().map(|since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        hostcalls::set_tick_period(Duration::from_millis(milliseconds.into()))
            .map_err(failed("set_tick_period_milliseconds"))
    }

    fn open_stream(
        &self,
        upstream: &str,
        service: &str,
        method: &str,
        metadata: Vec<(&str, &[u8])>,
    ) -> Result<StreamId, HostError> {
        hostcalls::open_grpc_stream(upstream, service, method, metadata)
            .map(StreamId)
            .map_err(failed("grpc_stream"))
    }

    fn call(
        &self,
        upstream: &str,
        (service, method): (&str, &str),
        metadata: Vec<(&str, &[u8])>,
        message: &[u8],
        timeout: u32,
    ) -> Result<CallId, HostError> {
        let timeout = Duration::from_millis(timeout.into());
        hostcalls::dispatch_grpc_call(upstream, service, method, metadata, Some(message), timeout)
            .map(CallId)
            .map_err(failed("grpc_call"))
    }

    fn message(&self, size: usize) -> Result<Vec<u8>, HostError> {
        let message = hostcalls::get_buffer(BufferType::GrpcReceiveBuffer, 0, size);
        // An empty message is one: the host has no buffer for it.
        message.map(Option::unwrap_or_default).map_err(failed("get_buffer"))
    }

    fn cancel(&self, StreamId(stream): StreamId) {
        // One that has ended needs no end.
        let _ = hostcalls::cancel_grpc_stream(stream);
    }

    fn shared(&self, key: &str) -> Result<SharedValue, HostError> {
        hostcalls::get_shared_data(key).map_err(failed("get_shared_data"))
    }

    fn share(&self, key: &str, value: &[u8], change: Option<u32>) -> Result<bool, HostError> {
        match hostcalls::set_shared_data(key, Some(value), change) {
            Ok(()) => Ok(true),
            Err(Status::CasMismatch) => Ok(false),
            Err(status) => Err(failed("set_shared_data")(status)),
        }
    }

    fn resume_request(&self) -> Result<(), HostError> {
        hostcalls::resume_http_request().map_err(failed("continue_stream"))
    }
}

struct EnvoyRoot(Root<Envoy>);

impl Context for EnvoyRoot {
    fn on_grpc_stream_message(&mut self, stream: u32, size: usize) {
        self.0.on_message(StreamId(stream), size);
    }

    fn on_grpc_stream_close(&mut self, stream: u32, status: u32) {
        self.0.on_close(StreamId(stream), status);
    }

    fn on_grpc_call_response(&mut self, call: u32, status: u32, size: usize) {
        stream::on_answer(&Envoy, CallId(call), status, size);
    }
}

impl RootContext for EnvoyRoot {
    fn on_configure(&mut self, _: usize) -> bool {
        // A buffer that cannot be read is a configuration that is not there.
        let configuration =
            hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten();
        self.0.configure(&configuration.unwrap_or_default())
    }

    fn on_tick(&mut self) {
        self.0.on_tick();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(EnvoyStream(self.0.stream(ContextId(context)))))
    }
}

struct EnvoyStream(Stream<Envoy>);

impl Context for EnvoyStream {
    fn on_grpc_call_response(&mut self, call: u32, status: u32, size: usize) {
        stream::on_answer(&Envoy, CallId(call), status, size);
    }
}

impl HttpContext for EnvoyStream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        action(self.0.on_request_headers(end_of_stream))
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        action(self.0.on_request_body(size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.0.on_request_trailers())
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.0.on_response(ResponsePart::Headers))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        action(self.0.on_response(ResponsePart::Trailers))
    }
}

fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}
