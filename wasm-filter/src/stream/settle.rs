//! The end of a wait that does not come by a callback of the request: there is a snapshot, the server has answered, or a
//! body does not end.

use std::rc::Rc;

use verdict::{Body, Limit};

use super::{Flow, Known, Phase, Stream, credential, uses};
use crate::{
    call::{self, NoAnswer},
    host::{CallId, FeedHost, Level, UnixMillis},
    lease::Flight,
    plugin::Plugin,
    ticket::{Outcome, Ticket},
};

/// Who has called the server, and what for.
#[derive(Debug)]
pub enum Asker {
    /// A request, for one use of a grant.
    Use {
        /// What the request is judged by.
        plugin: Rc<Plugin>,
        /// The request.
        ticket: Rc<Ticket>,
        /// Of which grant.
        limit: Limit,
    },
    /// A worker, for a service's credential.
    Lease {
        /// What requests are judged by.
        plugin: Rc<Plugin>,
        /// The credential.
        name: Box<str>,
        /// The field that carries it.
        header: Box<str>,
        /// Who waits for it.
        flight: Rc<Flight>,
    },
}

/// A call has ended, for whomever it was made. `status` is of gRPC; `size` is the length of the answer, in bytes. Leaves
/// another context the current one.
pub fn on_answer<H: FeedHost + Clone>(host: &H, call: CallId, status: u32, size: usize) {
    if let Some((asker, answer)) = call::take_answer(host, call, status, size) {
        asker.hear(host, answer);
    }
}

impl Asker {
    /// Goes on with the answer. Leaves another context the current one.
    pub fn hear<H: FeedHost + Clone>(self, host: &H, answer: Result<Vec<u8>, NoAnswer>) {
        match self {
            Self::Use { plugin, ticket, limit } => {
                let used = Some((limit, uses::outcome(answer)));
                Stream::settle(host, &plugin, &ticket, Known { used, was_judged: true, lease_asked: false });
            }
            Self::Lease { plugin, name, header, flight } => {
                credential::hear(host, &plugin, (&name, &header), &flight, answer);
            }
        }
    }
}

impl<H: FeedHost + Clone> Stream<H> {
    #[inline(never)]
    /// Ends the wait of a request, from outside its callbacks: it is judged by what is there now, what is `known` of it
    /// included, and denied where that is nothing. Leaves its context the current one.
    pub fn settle(host: &H, plugin: &Rc<Plugin>, ticket: &Ticket, known: Known) {
        Self::end_wait(host, plugin, ticket, known, |stream| stream.decide(ticket.seen()));
    }

    /// Ends the wait for bodies that took too long, up to so many, and says for how many. Leaves the context of one of the
    /// requests the current one.
    pub fn cut_bodies(host: &H, plugin: &Rc<Plugin>, at: UnixMillis, most: usize) -> usize {
        let expired = plugin.bodies().take_expired(at.0, most);
        for ticket in &expired {
            // It was counted when the body was first waited for.
            let known = Known { was_judged: true, ..Known::default() };
            Self::end_wait(host, plugin, ticket, known, |stream| stream.judge_again(Body::Cut));
        }
        expired.len()
    }

    fn end_wait(
        host: &H,
        plugin: &Rc<Plugin>,
        ticket: &Ticket,
        known: Known,
        judge: impl FnOnce(&mut Self) -> Flow,
    ) {
        ticket.settle(Outcome::Denied);
        // A request that is gone needs no answer.
        if host.enter(ticket.scope().context).is_err() {
            return;
        }
        let mut stream = Self::new(host.clone(), Some(Rc::clone(plugin)), ticket.scope());
        // Whoever was asked about was looked up.
        stream.lookup_counted = known.was_judged;
        stream.known = known;
        let flow = judge(&mut stream);
        let known = stream.known;
        ticket.settle(match stream.phase {
            Phase::Allowed(admission) => Outcome::Allowed(admission),
            Phase::AwaitingBody(seen) => Outcome::AwaitingBody(seen, known),
            // The request's next callback begins with it anew.
            Phase::Reading(reading) => Outcome::AwaitingBody(reading.ticket().seen(), known),
            Phase::AwaitingAnswer(asked) => Outcome::AwaitingAnswer(asked),
            Phase::Denied | Phase::Fresh | Phase::AwaitingSnapshot(_) => Outcome::Denied,
        });
        if flow == Flow::Continue
            && let Err(error) = host.resume_request()
        {
            host.log(Level::Error, &format!("writ: allowed, and stays paused: {error}"));
        }
    }
}
