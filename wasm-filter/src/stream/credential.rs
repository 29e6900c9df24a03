//! The service's own credential: without it a request that needs one does not go on, and it goes nowhere else.

use std::rc::Rc;

use verdict::{DenialCode, Injection, denial::Refusal};

use super::{Asker, Known, Seen, Stream};
use crate::{
    call::{self, NoAnswer},
    feed::messages::lease_request,
    host::{ContextId, FeedHost, HostError, Level},
    lease::{Flight, Found, Lease, Loan, Waiter, Wanted},
    open::{MAX_SETTLED, TICK_UNSETTLED},
    plugin::Plugin,
    record::Judged,
    ticket::{Asked, Ticket},
};

/// Filter state with the cluster that a credential was lent for. What Envoy chooses after the edits is held against it.
pub const CLUSTER_PROPERTY: &str = "writ_cluster";

const METHOD: &str = "Lease";
const CLUSTER: &[&str] = &["xds", "cluster_name"];

/// What a request gets.
enum Borrowed {
    Here(Loan),
    Asked(Asked),
}

impl<H: FeedHost + Clone> Stream<H> {
    /// A verdict, and the credential that it needs; or the request waits for it.
    pub(super) fn borrow(
        &mut self,
        plugin: &Rc<Plugin>,
        seen: Seen,
        judged: Judged,
    ) -> Result<(Judged, Option<Loan>), Asked> {
        let Some(injection) = judged.verdict.injection().cloned() else { return Ok((judged, None)) };
        let refusal = match self.try_borrow(plugin, seen, injection, judged.at.0) {
            Ok(Borrowed::Here(loan)) => return Ok((judged, Some(loan))),
            Ok(Borrowed::Asked(asked)) => return Err(asked),
            Err(refusal) => refusal,
        };
        let Judged { verdict, at, token } = judged;
        Ok((Judged { verdict: verdict.refused(refusal, at.seconds()), at, token }, None))
    }

    #[inline(never)]
    fn try_borrow(
        &self,
        plugin: &Rc<Plugin>,
        seen: Seen,
        injection: std::sync::Arc<Injection>,
        now: u64,
    ) -> Result<Borrowed, Refusal> {
        let unavailable = |detail| Refusal::new(DenialCode::ServerUnavailable, detail);
        let cluster = self.host.property(CLUSTER).ok().flatten();
        let cluster = cluster.and_then(|cluster| String::from_utf8(cluster).ok());
        let cluster =
            cluster.ok_or_else(|| unavailable("Envoy does not say which cluster the route leads to"))?;
        if !injection.may_reach(cluster.as_bytes()) {
            return Err(injection.misrouted());
        }
        let leases = plugin.leases();
        let flight = match leases.find(injection.name(), now) {
            Found::Here(lease) => return Ok(Borrowed::Here(Loan { lease, injection, cluster })),
            Found::Refused => return Err(unavailable("the server has no lease of the credential")),
            Found::Asked(flight) => flight,
            Found::Nothing if self.known.lease_asked => {
                return Err(unavailable("the server's lease cannot be used"));
            }
            Found::Nothing => {
                // First: what nobody will ask for must not be waited for.
                self.hasten(plugin).map_err(|error| {
                    self.host.log(Level::Error, &format!("writ: no credential can be asked for: {error}"));
                    unavailable("no server can be asked for the credential")
                })?;
                leases.want(injection.name(), injection.header())
            }
        };
        let ticket = Ticket::holding(self.scope, seen, self.held.clone());
        let waiter = Waiter { ticket: Rc::clone(&ticket), used: self.known.used.clone() };
        if !flight.join(waiter) {
            return Err(unavailable("too many requests wait for the credential"));
        }
        Ok(Borrowed::Asked(Asked::shared(ticket)))
    }

    /// Has the root tick at once, which asks: the SDK gives an answer to whoever's callback made the call, and to nobody if
    /// that one has gone. Others wait for this one, too.
    fn hasten(&self, plugin: &Plugin) -> Result<(), HostError> {
        plugin.feed().ok_or(NO_SERVER)?;
        self.host.enter(self.scope.root)?;
        let hastened = self.host.set_tick_period(TICK_UNSETTLED);
        // What follows is the request's again.
        self.host.enter(self.scope.context).and(hastened)
    }
}

/// A filter whose snapshot came by file. The status is of proxy-wasm ABI 0.2.1, `proxy_status_t`.
const NO_SERVER: HostError = HostError { call: "grpc_call: this Envoy follows no server", status: 1 };

/// Asks for a lease, from a callback of `root`. Leaves `root` the current context.
#[inline(never)]
pub(crate) fn ask<H: FeedHost>(
    host: &H,
    plugin: &Rc<Plugin>,
    root: ContextId,
    wanted: &Wanted,
) -> Result<(), HostError> {
    let Wanted { name, header, flight } = wanted;
    let shared = plugin.feed().ok_or(NO_SERVER)?;
    let asker = Asker::Lease {
        plugin: Rc::clone(plugin),
        name: name.clone(),
        header: header.clone(),
        flight: Rc::clone(flight),
    };
    let call = call::ask(host, shared.config(), root, METHOD, &lease_request(name), asker)?;
    flight.set_call(call);
    Ok(())
}

/// A lease has come, or not: those who wait for it go on. Leaves another context the current one.
pub(super) fn hear<H: FeedHost + Clone>(
    host: &H,
    plugin: &Rc<Plugin>,
    (name, header): (&str, &str),
    flight: &Rc<Flight>,
    answer: Result<Vec<u8>, NoAnswer>,
) {
    let now = host.now_millis().map_or(0, |now| now.0);
    let answer = answer.ok().map(zeroize::Zeroizing::new);
    let lease = answer.and_then(|answer| Lease::read(&answer, header, now));
    if let Some(shared) = plugin.feed() {
        let metrics = shared.metrics();
        host.increment(if lease.is_some() { metrics.leases } else { metrics.leases_refused });
    }
    plugin.leases().land(name, flight, lease, now);
    settle(host, plugin, MAX_SETTLED);
}

/// Goes on with the next requests whose lease has come or not, up to so many, and says how many. Leaves another context the
/// current one.
pub(crate) fn settle<H: FeedHost + Clone>(host: &H, plugin: &Rc<Plugin>, most: usize) -> usize {
    let waiters = plugin.leases().take_answered(most);
    let count = waiters.len();
    for Waiter { ticket, used } in waiters {
        Stream::settle(host, plugin, &ticket, Known { used, lease_asked: true, was_judged: true });
    }
    count
}
