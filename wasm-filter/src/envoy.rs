//! The host of the sandbox: proxy-wasm's calls and callbacks, translated one to one.
//!
//! Only `hostcalls` functions are used. The methods of the SDK's traits unwrap; the functions end in a trap,
//! too, on a status that the ABI does not allow for the call, and Envoy answers 503 then.

use std::time::UNIX_EPOCH;

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType, Status},
};
use verdict::UnixTime;

use crate::{
    host::{Host, HostError, Level, MetricId, MetricKind},
    root::Root,
    stream::{Flow, Stream},
};

proxy_wasm::main! {{
    // Also installs a panic hook, so that a trap leaves its reason in Envoy's log.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(EnvoyRoot(Root::new(Envoy))));
}}

/// Envoy, as a proxy-wasm 0.2.1 module sees it.
#[derive(Clone, Copy, Debug)]
struct Envoy;

fn failed(call: &'static str) -> impl Fn(Status) -> HostError {
    move |status| HostError { call, status: status as u32 }
}

impl Host for Envoy {
    fn request_headers(&self) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        // Whole and as bytes: a read by name gives the first of several values only. Names are texts here, and
        // the SDK traps on one that is not UTF-8; Envoy's codecs refuse every name that is not an RFC 9110
        // token before a filter sees it.
        hostcalls::get_map_bytes(MapType::HttpRequestHeaders).map_err(failed("get_header_map_pairs"))
    }

    fn now(&self) -> Result<UnixTime, HostError> {
        let call = "get_current_time";
        let now = hostcalls::get_current_time().map_err(failed(call))?;
        let since_epoch =
            now.duration_since(UNIX_EPOCH).map_err(|_| failed(call)(Status::InternalFailure))?;
        Ok(UnixTime(since_epoch.as_secs()))
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
}

struct EnvoyRoot(Root<Envoy>);

impl Context for EnvoyRoot {}

impl RootContext for EnvoyRoot {
    fn on_configure(&mut self, _: usize) -> bool {
        // A buffer that cannot be read is a configuration that is not there.
        let configuration =
            hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX).ok().flatten();
        self.0.configure(&configuration.unwrap_or_default())
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(EnvoyStream(self.0.stream())))
    }
}

struct EnvoyStream(Stream<Envoy>);

impl Context for EnvoyStream {}

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
}

fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}
