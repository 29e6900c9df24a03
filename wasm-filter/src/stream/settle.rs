//! The end of a wait that comes from the root, not from a callback of the request: of the one for the first snapshot, and
//! of the one for a body that does not end.

use std::rc::Rc;

use verdict::Body;

use super::{Flow, Phase, Stream};
use crate::{
    host::{FeedHost, Level, UnixMillis},
    plugin::Plugin,
    waiting::{Outcome, Ticket},
};

impl<H: FeedHost + Clone> Stream<H> {
    /// Ends the wait of a request: it is judged if there is a snapshot now, and denied otherwise. Leaves its context the
    /// current one.
    pub fn settle(host: &H, plugin: &Rc<Plugin>, ticket: &Ticket) {
        Self::end_wait(host, plugin, ticket, |stream| stream.decide(ticket.seen()));
    }

    /// Ends the wait for bodies that took too long, up to so many, and says for how many. Leaves the context of one of the
    /// requests the current one.
    pub fn cut_bodies(host: &H, plugin: &Rc<Plugin>, at: UnixMillis, most: usize) -> usize {
        let expired = plugin.bodies().take_expired(at.0, most);
        for ticket in &expired {
            Self::end_wait(host, plugin, ticket, |stream| {
                // It was counted when the body was first waited for.
                stream.lookup_counted = true;
                stream.judge_again(Body::Cut)
            });
        }
        expired.len()
    }

    fn end_wait(host: &H, plugin: &Rc<Plugin>, ticket: &Ticket, judge: impl FnOnce(&mut Self) -> Flow) {
        ticket.settle(Outcome::Denied);
        // A request that is gone needs no answer.
        if host.enter(ticket.context()).is_err() {
            return;
        }
        let mut stream = Self::new(host.clone(), Some(Rc::clone(plugin)), ticket.context());
        let flow = judge(&mut stream);
        match stream.phase {
            Phase::Allowed(admission) => ticket.admit(admission),
            // The request's next callback begins with it anew.
            Phase::AwaitingBody(_) | Phase::Reading(_) => ticket.settle(Outcome::AwaitingBody),
            Phase::Denied | Phase::Fresh | Phase::AwaitingSnapshot(_) => {}
        }
        if flow == Flow::Continue
            && let Err(error) = host.resume_request()
        {
            host.log(Level::Error, &format!("writ: allowed, and stays paused: {error}"));
        }
    }
}
