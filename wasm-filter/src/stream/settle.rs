//! The end of a wait for the first snapshot. It comes from the root, not from a callback of the request.

use std::rc::Rc;

use super::{Flow, Phase, Stream};
use crate::{
    host::{FeedHost, Level},
    plugin::Plugin,
    waiting::{Outcome, Ticket},
};

impl<H: FeedHost + Clone> Stream<H> {
    /// Ends the wait of a request, from outside its callbacks: it is judged if there is a snapshot now, and denied
    /// otherwise. Leaves its context the current one.
    pub fn settle(host: &H, plugin: &Rc<Plugin>, ticket: &Ticket) {
        ticket.settle(Outcome::Denied);
        // A request that is gone needs no answer.
        if host.enter(ticket.context()).is_err() {
            return;
        }
        let mut stream = Self::new(host.clone(), Some(Rc::clone(plugin)), ticket.context());
        let flow = stream.decide(ticket.body());
        match stream.phase {
            Phase::Allowed(admission) => ticket.admit(admission),
            Phase::AwaitingBody => ticket.settle(Outcome::AwaitingBody),
            Phase::Denied | Phase::Fresh | Phase::AwaitingSnapshot(_) => {}
        }
        if flow == Flow::Continue
            && let Err(error) = host.resume_request()
        {
            host.log(Level::Error, &format!("writ: allowed, and stays paused: {error}"));
        }
    }
}
