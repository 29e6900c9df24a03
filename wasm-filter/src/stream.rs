//! The callbacks of one request, in whatever order the proxy makes them.

pub(crate) mod credential;
mod judge;
mod mask;
mod seen;
mod settle;
mod uses;
mod whole;

use std::{mem, rc::Rc};

use verdict::{Body, Denial, DenialCode, Limit, Peer, Permit, Request, Verdict, denial::Refusal};

pub use self::{
    credential::CLUSTER_PROPERTY,
    seen::Seen,
    settle::{Asker, on_answer},
};
use crate::{
    bodies::{Held, Reading},
    body,
    host::{FeedHost, Host, HostError, Level, Scope},
    lease::Loan,
    open::Admission,
    plugin::Plugin,
    record::{self, Judged},
    ticket::{Asked, Outcome},
    waiting::Place,
};

/// Filter state with the task of a request, for access logs: `%FILTER_STATE(wasm.writ_task:PLAIN)%`.
pub const TASK_PROPERTY: &str = "writ_task";
/// Filter state with the denial code; of a request in shadow, the code it would have been denied with.
pub const DENIAL_PROPERTY: &str = "writ_denial";

/// A request's header fields.
type Headers<'h, 'f> = &'h [(&'f [u8], &'f [u8])];

/// Whether the proxy goes on with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// On to the next filter.
    Continue,
    /// Nothing goes on until a verdict is made, or ever.
    Pause,
}

/// One request on its way through the filter.
#[derive(Debug)]
pub struct Stream<H: Host> {
    host: H,
    plugin: Option<Rc<Plugin>>,
    scope: Scope,
    phase: Phase<H>,
    /// A request that is judged more than once looks its token up once, as far as the counters are concerned.
    lookup_counted: bool,
    /// What servers have told of it.
    known: Known,
    /// Its body, while it is judged by that.
    held: Option<Rc<Held>>,
}

/// What is known of a request beside its fields, when it is judged again.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What became of the use of a limited grant.
    pub used: Option<(Limit, verdict::Use)>,
    /// Whether it has waited for a credential.
    pub lease_asked: bool,
    /// Whether its token was looked up.
    pub was_judged: bool,
}

#[derive(Debug)]
enum Phase<H: Host> {
    /// Nothing was seen.
    Fresh,
    /// There is no snapshot yet. Nothing of the header fields is kept here, for the reason below.
    AwaitingSnapshot(Place<H>),
    /// The verdict depends on whether a body follows, which the header fields do not tell. Nothing of them is
    /// kept here: a sandbox's memory is bounded and all requests of a worker share it, so that requests held
    /// open would exhaust it for the others. The proxy holds the fields, under its own limits.
    AwaitingBody(Seen),
    /// The verdict depends on what the body says. The proxy holds that, too.
    Reading(Reading),
    /// The verdict depends on an answer of the server.
    AwaitingAnswer(Asked),
    /// The verdict was `Allow` and its edits are made. Who can be ended has a place among the open requests.
    Allowed(Option<Admission>),
    /// The request was answered, or should have been: nothing of it goes on.
    Denied,
}

impl<H: FeedHost + Clone> Stream<H> {
    /// The callbacks of a request under `plugin`; without one it is denied.
    pub fn new(host: H, plugin: Option<Rc<Plugin>>, scope: Scope) -> Self {
        let known = Known::default();
        Self { host, plugin, scope, phase: Phase::Fresh, lookup_counted: false, known, held: None }
    }

    /// The header fields have arrived; `end_of_stream`: and nothing comes after them.
    pub fn on_request_headers(&mut self, end_of_stream: bool) -> Flow {
        match self.take_phase() {
            Phase::Fresh => self.begin(Seen { size: 0, whole: end_of_stream }),
            Phase::Denied => Flow::Pause,
            // A second set of header fields would go on unjudged.
            Phase::AwaitingSnapshot(_)
            | Phase::AwaitingBody(_)
            | Phase::Reading(_)
            | Phase::AwaitingAnswer(_)
            | Phase::Allowed(_) => self.deny_out_of_order(),
        }
    }

    /// A piece of the body has arrived, `size` bytes so far unless they went on.
    pub fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Flow {
        self.on_more(Seen { size, whole: end_of_stream })
    }

    /// The trailer fields have arrived, the body is complete.
    pub fn on_request_trailers(&mut self) -> Flow {
        // They do not tell of the body: where no callback did before, there is not one byte of it.
        self.on_more(Seen { size: 0, whole: true })
    }

    fn on_more(&mut self, seen: Seen) -> Flow {
        match self.take_phase() {
            Phase::AwaitingBody(before) => {
                let seen = before.and(seen);
                if seen.body().is_none() { self.wait(seen) } else { self.decide(seen) }
            }
            Phase::Reading(reading) => self.read(reading, seen),
            Phase::Allowed(admission) => {
                self.phase = Phase::Allowed(admission);
                Flow::Continue
            }
            Phase::AwaitingSnapshot(place) => {
                place.ticket().note(seen);
                self.phase = Phase::AwaitingSnapshot(place);
                Flow::Pause
            }
            Phase::AwaitingAnswer(asked) => {
                asked.ticket().note(seen);
                self.phase = Phase::AwaitingAnswer(asked);
                Flow::Pause
            }
            Phase::Denied => Flow::Pause,
            Phase::Fresh => self.deny_out_of_order(),
        }
    }

    /// Leaves `Denied` behind, so that whatever returns early has closed the request.
    fn take_phase(&mut self) -> Phase<H> {
        let mut phase = mem::replace(&mut self.phase, Phase::Denied);
        // One wait may have ended in another, and that one, too.
        loop {
            let ticket = match &phase {
                Phase::AwaitingSnapshot(place) => place.ticket(),
                Phase::Reading(reading) => reading.ticket(),
                Phase::AwaitingAnswer(asked) => asked.ticket(),
                Phase::Fresh | Phase::AwaitingBody(_) | Phase::Allowed(_) | Phase::Denied => return phase,
            };
            let Some(outcome) = ticket.take_outcome() else { return phase };
            self.lookup_counted = true;
            phase = match outcome {
                Outcome::Allowed(admission) => Phase::Allowed(admission),
                Outcome::AwaitingBody(seen, known) => {
                    self.known = known;
                    Phase::AwaitingBody(seen)
                }
                Outcome::AwaitingAnswer(asked) => Phase::AwaitingAnswer(asked),
                Outcome::Denied => Phase::Denied,
            };
        }
    }

    fn wait(&mut self, seen: Seen) -> Flow {
        self.phase = Phase::AwaitingBody(seen);
        Flow::Pause
    }

    /// Judges, or waits for something to judge by.
    fn begin(&mut self, seen: Seen) -> Flow {
        if let Some(plugin) = &self.plugin
            && !plugin.has_snapshot()
            && let Some(place) = Place::take(self.host.clone(), plugin, self.scope, seen)
        {
            self.phase = Phase::AwaitingSnapshot(place);
            return Flow::Pause;
        }
        self.decide(seen)
    }

    /// Judges by what the callbacks have told of the body.
    fn decide(&mut self, seen: Seen) -> Flow {
        self.judge_with(seen.body(), seen)
    }

    /// Reads the header fields, judges and acts; waits where neither `body` nor the fields tell of a body and it would make
    /// a difference. `seen` is where reading the body begins, if the verdict needs that.
    // Called from several places, and large: one copy will do.
    #[inline(never)]
    fn judge_with(&mut self, body: Option<Body<'_>>, seen: Seen) -> Flow {
        let fields = match self.host.request_headers() {
            Ok(fields) => fields,
            Err(error) => return self.fail(&error),
        };
        let headers: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
        let Some(plugin) = self.plugin.clone() else {
            return self.deny(&no_snapshot(), &headers, None);
        };
        let judged = match body.or_else(|| body::announced(&fields, false)) {
            Some(body) => self.judge(&plugin, &headers, body).map(Some),
            None => self.judge_before_body(&plugin, &headers),
        };
        match judged {
            Ok(None) => self.wait(seen),
            Ok(Some(judged)) => self.answer(&plugin, &headers, seen, judged),
            Err(error) => self.fail(&error),
        }
    }

    /// Does what the verdict says, with what a server has to say of it.
    fn answer(&mut self, plugin: &Rc<Plugin>, headers: Headers<'_, '_>, seen: Seen, judged: Judged) -> Flow {
        // The credential first: who cannot go on spends no use.
        let served = self.borrow(plugin, seen, judged).and_then(|(judged, loan)| {
            let judged = self.count_use(plugin, seen, judged)?;
            Ok((judged, loan))
        });
        let (judged, loan) = match served {
            Ok(served) => served,
            Err(asked) => {
                self.phase = Phase::AwaitingAnswer(asked);
                return Flow::Pause;
            }
        };
        match &judged.verdict {
            Verdict::Allow(permit) => match self.forward(plugin, permit, loan.as_ref()) {
                Ok(admission) => {
                    record::permit(&self.host, self.scope.context, plugin, headers, &judged, permit);
                    self.phase = Phase::Allowed(admission);
                    Flow::Continue
                }
                Err(error) => self.fail(&error),
            },
            Verdict::Deny(denial) => self.deny(denial, headers, Some(&judged)),
            Verdict::NeedsBody(need) => {
                let task = judged.token.as_ref().map_or("", |token| token.task());
                self.begin_reading(plugin, *need, task, seen)
            }
            // Without an answer there is none to wait for any more.
            Verdict::NeedsUse(_) => self.fail(&HostError { call: "use", status: INTERNAL_FAILURE }),
        }
    }

    /// Makes the permit's edits, and gives who goes on by a token or in shadow a place among the open requests. On an error some
    /// edits are made and some are not: the request must not go on.
    fn forward(
        &self,
        plugin: &Rc<Plugin>,
        permit: &Permit,
        loan: Option<&Loan>,
    ) -> Result<Option<Admission>, HostError> {
        let admission = match permit.standing() {
            Some(standing) => Some(
                Admission::take(plugin, self.scope.context, standing)
                    .ok_or(HostError { call: "admission", status: INTERNAL_FAILURE })?,
            ),
            None => None,
        };
        let edits = permit.edits();
        for name in edits.remove {
            // Names reach the filter as texts, so they leave it as such.
            let name = std::str::from_utf8(name)
                .map_err(|_| HostError { call: "remove_request_header", status: BAD_ARGUMENT })?;
            self.host.remove_request_header(name)?;
        }
        for (name, value) in &edits.set {
            self.host.set_request_header(name, value)?;
        }
        let admission = match (permit.injection(), loan) {
            (Some(needed), Some(Loan { lease, injection, cluster })) if needed == injection => {
                self.host.set_property(CLUSTER_PROPERTY, cluster)?;
                self.host.set_request_header(injection.header(), lease.value())?;
                admission.map(|admission| admission.carrying(lease))
            }
            (None, _) => admission,
            (Some(_), _) => return Err(HostError { call: "credential", status: INTERNAL_FAILURE }),
        };
        if let Some(record) = permit.record() {
            self.host.set_property(TASK_PROPERTY, record.task())?;
        }
        if let Some(denial) = permit.shadowed_denial() {
            self.host.set_property(DENIAL_PROPERTY, denial.code().as_str())?;
            log_denial(&self.host, Level::Info, "would deny", denial);
        }
        plugin.metrics().count_permit(&self.host, permit);
        Ok(admission)
    }

    #[inline(never)]
    /// Answers with the denial; `judged` is what it rests on, where a verdict was made.
    fn deny(&mut self, denial: &Denial, headers: &[(&[u8], &[u8])], judged: Option<&Judged>) -> Flow {
        // For logs alone: without them the denial is still one.
        let _ = self.host.set_property(DENIAL_PROPERTY, denial.code().as_str());
        if let Some(task) = denial.task() {
            let _ = self.host.set_property(TASK_PROPERTY, task);
        }
        if let Err(error) = respond(&self.host, denial, headers) {
            self.host.log(Level::Error, &format!("writ: denied without a response: {error}"));
        }
        log_denial(&self.host, Level::Debug, "deny", denial);
        if let Some(plugin) = &self.plugin {
            plugin.metrics().count_denial(&self.host, denial);
            record::denial(&self.host, self.scope.context, plugin, headers, judged, denial);
        }
        self.phase = Phase::Denied;
        Flow::Pause
    }

    fn fail(&mut self, error: &HostError) -> Flow {
        self.host.log(Level::Error, &format!("writ: {error}"));
        let refusal = Refusal::new(DenialCode::ServerUnavailable, "a host call failed");
        self.deny(&Denial::new(refusal, None), &[], None)
    }

    fn deny_out_of_order(&mut self) -> Flow {
        let refusal = Refusal::new(DenialCode::MalformedRequest, "callbacks out of order");
        self.deny(&Denial::new(refusal, None), &[], None)
    }
}

/// Answers the current request, whose header fields these are.
pub(crate) fn respond(
    host: &impl Host,
    denial: &Denial,
    headers: &[(&[u8], &[u8])],
) -> Result<(), HostError> {
    let peer = Peer::none();
    let response = denial.response(&Request { headers, body: Body::Absent, peer: &peer });
    let fields: Vec<(&str, &str)> =
        response.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    host.send_response(response.status, &fields, &response.body)
}

/// The detail may quote the request: it is escaped, so that no request writes lines of its own.
pub(crate) fn log_denial(host: &impl Host, level: Level, what: &str, denial: &Denial) {
    let (code, detail) = (denial.code().as_str(), denial.detail().as_bytes().escape_ascii());
    host.log(level, &format!("writ: {what}: {code}: {detail}, task {}", denial.task().unwrap_or("unknown")));
}

fn no_snapshot() -> Denial {
    Denial::new(Refusal::new(DenialCode::StaleSnapshot, "the filter has no snapshot"), None)
}

// proxy-wasm ABI 0.2.1, `proxy_status_t`.
const BAD_ARGUMENT: u32 = 2;
const INTERNAL_FAILURE: u32 = 10;
