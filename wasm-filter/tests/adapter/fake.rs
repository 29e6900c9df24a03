//! A host in memory that records what the filter does to it.

use std::{
    cell::{Ref, RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use wasm_filter::host::{
    CallId, ContextId, FeedHost, Host, HostError, Level, MetricId, MetricKind, ResponsePart, SharedValue,
    StreamId, UnixMillis,
};

use crate::fixture::NOW;

/// A handle; clones are handles of the same host.
#[derive(Clone, Debug)]
pub(crate) struct FakeHost(Rc<RefCell<State>>);

#[derive(Debug)]
pub(crate) struct State {
    /// The request's header fields; edits show here.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// What has come of the request's body.
    pub(crate) body: Vec<u8>,
    /// The answer's fields; edits show here.
    pub(crate) response_fields: Vec<(String, Vec<u8>)>,
    pub(crate) now: u64,
    /// What the host tells of the connection.
    pub(crate) attributes: BTreeMap<String, Vec<u8>>,
    /// How often it was asked.
    pub(crate) attribute_reads: usize,
    /// What the filter has set.
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) responses: Vec<Response>,
    pub(crate) log: Vec<(Level, String)>,
    /// Names of [`Host`] methods that fail.
    pub(crate) failing: BTreeSet<&'static str>,
    metrics: Vec<(String, u64)>,
    /// Contexts that have ended: nobody can enter them.
    pub(crate) gone: BTreeSet<u32>,
    /// The context that calls are about; 0 is the callback's own.
    pub(crate) current: u32,
    /// Unix nanoseconds beyond the seconds of `now`.
    pub(crate) nanos: u64,
    pub(crate) tick: Option<u32>,
    pub(crate) opened: Vec<Opened>,
    /// Calls, in order: the first has number 1.
    pub(crate) called: Vec<Called>,
    /// The message that the next callback is about.
    pub(crate) message: Vec<u8>,
    /// What was sent, on which stream.
    pub(crate) sent: Vec<(u32, Vec<u8>)>,
    pub(crate) cancelled: Vec<u32>,
    pub(crate) shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// What another worker shares right after this one has looked for the first time.
    pub(crate) late_shared: Option<BTreeMap<String, (Vec<u8>, u32)>>,
    /// Requests that went on after a pause.
    pub(crate) resumed: Vec<u32>,
    /// Requests that were answered, by context.
    pub(crate) answered: Vec<u32>,
}

/// A stream that the filter has opened.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) upstream: Vec<u8>,
    pub(crate) method: String,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
}

/// A call that the filter has made.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// The context whose call it is.
    pub(crate) context: u32,
    pub(crate) upstream: Vec<u8>,
    pub(crate) method: String,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) message: Vec<u8>,
    pub(crate) timeout: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The denial code in the problem body.
    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.body).expect("a problem object");
        problem["code"].as_str().expect("a code").to_owned()
    }
}

impl State {
    /// Every metric by name.
    pub(crate) fn metrics(&self) -> &[(String, u64)] {
        &self.metrics
    }
}

impl FakeHost {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(State {
            headers: Vec::new(),
            body: Vec::new(),
            response_fields: Vec::new(),
            now: NOW,
            attributes: BTreeMap::new(),
            attribute_reads: 0,
            properties: BTreeMap::new(),
            responses: Vec::new(),
            log: Vec::new(),
            failing: BTreeSet::new(),
            metrics: Vec::new(),
            gone: BTreeSet::new(),
            current: 0,
            nanos: 0,
            tick: None,
            opened: Vec::new(),
            called: Vec::new(),
            message: Vec::new(),
            sent: Vec::new(),
            cancelled: Vec::new(),
            shared: BTreeMap::new(),
            late_shared: None,
            resumed: Vec::new(),
            answered: Vec::new(),
        })))
    }

    pub(crate) fn state(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    pub(crate) fn state_mut(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// The value of a metric; panics on one that was never defined.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let state = self.state();
        state.metrics.iter().find(|(own, _)| own == name).expect("a defined metric").1
    }

    /// Values of a request header field.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let values = state.headers.iter().filter(|(own, _)| own == name);
        values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// The one response; panics where there is none or more than one.
    pub(crate) fn response(&self) -> Response {
        let state = self.state();
        let [response] = state.responses.as_slice() else { panic!("{} responses", state.responses.len()) };
        response.clone()
    }

    fn call(&self, call: &'static str) -> Result<RefMut<'_, State>, HostError> {
        let state = self.0.borrow_mut();
        if state.failing.contains(call) { Err(HostError { call, status: 10 }) } else { Ok(state) }
    }
}

impl Host for FakeHost {
    fn request_headers(&self) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        Ok(self.call("request_headers")?.headers.clone())
    }

    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostError> {
        let state = self.call("request_body")?;
        let body = state.body.get(..size).filter(|_| size == state.body.len());
        body.map(<[u8]>::to_vec).ok_or(HostError { call: "request_body", status: 10 })
    }

    fn now_millis(&self) -> Result<UnixMillis, HostError> {
        let state = self.call("now")?;
        Ok(UnixMillis(state.now * 1000 + state.nanos / 1_000_000))
    }

    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostError> {
        let mut state = self.call("property")?;
        state.attribute_reads += 1;
        Ok(state.attributes.get(&path.join(".")).cloned())
    }

    fn set_property(&self, name: &str, value: &str) -> Result<(), HostError> {
        self.call("set_property")?.properties.insert(name.into(), value.into());
        Ok(())
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostError> {
        self.call("remove_request_header")?.headers.retain(|(own, _)| own != name);
        Ok(())
    }

    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        let mut state = self.call("set_request_header")?;
        state.headers.retain(|(own, _)| own != name);
        state.headers.push((name.into(), value.into()));
        Ok(())
    }

    fn send_response(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError> {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let body = String::from_utf8(body.to_vec()).expect("a text");
        let mut state = self.call("send_response")?;
        state.responses.push(Response { status, headers, body });
        let current = state.current;
        state.answered.push(current);
        Ok(())
    }

    fn response_fields(&self, _: ResponsePart) -> Result<Vec<(String, Vec<u8>)>, HostError> {
        Ok(self.call("response_fields")?.response_fields.clone())
    }

    fn set_response_fields(&self, _: ResponsePart, fields: Vec<(&str, &[u8])>) -> Result<(), HostError> {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        self.call("set_response_fields")?.response_fields = fields;
        Ok(())
    }

    fn send(&self, StreamId(stream): StreamId, message: &[u8], _: bool) -> Result<(), HostError> {
        self.call("send")?.sent.push((stream, message.to_vec()));
        Ok(())
    }

    fn enter(&self, ContextId(context): ContextId) -> Result<(), HostError> {
        let mut state = self.call("enter")?;
        if state.gone.contains(&context) {
            return Err(HostError { call: "enter", status: 2 });
        }
        state.current = context;
        Ok(())
    }

    fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().log.push((level, message.into()));
    }

    fn define_metric(&self, _: MetricKind, name: &str) -> Result<MetricId, HostError> {
        let mut state = self.call("define_metric")?;
        let known = state.metrics.iter().position(|(own, _)| own == name);
        let index = known.unwrap_or_else(|| {
            state.metrics.push((name.into(), 0));
            state.metrics.len() - 1
        });
        Ok(MetricId(u32::try_from(index).expect("few metrics")))
    }

    fn increment(&self, MetricId(id): MetricId) {
        self.0.borrow_mut().metrics[id as usize].1 += 1;
    }

    fn record(&self, MetricId(id): MetricId, value: u64) {
        self.0.borrow_mut().metrics[id as usize].1 = value;
    }

    fn add(&self, MetricId(id): MetricId, difference: i64) {
        let value = &mut self.0.borrow_mut().metrics[id as usize].1;
        *value = value.checked_add_signed(difference).expect("no metric below zero");
    }
}

impl FeedHost for FakeHost {
    fn clock(&self) -> Result<u64, HostError> {
        let state = self.call("clock")?;
        Ok(state.now * 1_000_000_000 + state.nanos)
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        self.call("set_tick_period")?.tick = Some(milliseconds);
        Ok(())
    }

    fn open_stream(
        &self,
        upstream: &str,
        service: &str,
        method: &str,
        metadata: Vec<(&str, &[u8])>,
    ) -> Result<StreamId, HostError> {
        let mut state = self.call("open_stream")?;
        state.opened.push(Opened {
            upstream: upstream.into(),
            method: format!("{service}/{method}"),
            metadata: metadata.iter().map(|(name, value)| ((*name).into(), value.to_vec())).collect(),
        });
        Ok(StreamId(u32::try_from(state.opened.len()).expect("few streams")))
    }

    fn call(
        &self,
        upstream: &str,
        (service, method): (&str, &str),
        metadata: Vec<(&str, &[u8])>,
        message: &[u8],
        timeout: u32,
    ) -> Result<CallId, HostError> {
        let mut state = FakeHost::call(self, "call")?;
        let context = state.current;
        state.called.push(Called {
            context,
            upstream: upstream.into(),
            method: format!("{service}/{method}"),
            metadata: metadata.iter().map(|(name, value)| ((*name).into(), value.to_vec())).collect(),
            message: message.to_vec(),
            timeout,
        });
        Ok(CallId(u32::try_from(state.called.len()).expect("few calls")))
    }

    fn message(&self, size: usize) -> Result<Vec<u8>, HostError> {
        let message = self.call("message")?.message.clone();
        assert!(message.len() <= size, "the whole message is asked for");
        Ok(message)
    }

    fn cancel(&self, StreamId(stream): StreamId) {
        self.0.borrow_mut().cancelled.push(stream);
    }

    fn shared(&self, key: &str) -> Result<SharedValue, HostError> {
        let mut state = self.call("shared")?;
        let value = state.shared.get(key).cloned();
        if let Some(late) = state.late_shared.take() {
            state.shared = late;
        }
        Ok(value.map_or((None, None), |(value, change)| (Some(value), Some(change))))
    }

    fn share(&self, key: &str, value: &[u8], change: Option<u32>) -> Result<bool, HostError> {
        let mut state = self.call("share")?;
        let last = state.shared.get(key).map(|(_, change)| *change);
        // As in proxy-wasm-cpp-host, src/shared_data.cc: where there is no value, there is nothing to compare with.
        if change.is_some() && last.is_some() && change != last {
            return Ok(false);
        }
        state.shared.insert(key.into(), (value.to_vec(), last.unwrap_or(0) + 1));
        Ok(true)
    }

    fn resume_request(&self) -> Result<(), HostError> {
        let mut state = self.call("resume_request")?;
        let current = state.current;
        state.resumed.push(current);
        Ok(())
    }
}
