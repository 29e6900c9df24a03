//! The use of a limited grant: a server counts it before the request goes on.

use std::rc::Rc;

use verdict::{LimitedPermit, Use, Verdict};

use super::{Asker, Seen, Stream};
use crate::{
    call::{self, NoAnswer},
    feed::messages::{UseRequest, decode_use},
    host::{FeedHost, HostError, Level},
    plugin::Plugin,
    record::Judged,
    ticket::{Asked, Ticket},
};

const METHOD: &str = "Use";

/// What a server's answer says of a use.
pub(super) fn outcome(answer: Result<Vec<u8>, NoAnswer>) -> Use {
    answer.map_or(Use::Unavailable, |answer| decode_use(&answer))
}

impl<H: FeedHost + Clone> Stream<H> {
    /// A verdict that needs no use any more: any other than [`Verdict::NeedsUse`] at once, and that one if the use of
    /// this very grant was asked for already. Otherwise the request waits for the answer.
    pub(super) fn count_use(
        &mut self,
        plugin: &Rc<Plugin>,
        seen: Seen,
        judged: Judged,
    ) -> Result<Judged, Asked> {
        let Judged { verdict, at, token } = judged;
        let Verdict::NeedsUse(limited) = verdict else { return Ok(Judged { verdict, at, token }) };
        let outcome = match &self.known.used {
            Some((limit, outcome)) if limit == limited.limit() => *outcome,
            // What was counted was another grant's, before the policy changed: one request, one use.
            Some(_) => Use::Unavailable,
            None => match self.ask_use(plugin, seen, &limited) {
                Ok(asked) => return Err(asked),
                Err(error) => {
                    self.host.log(Level::Error, &format!("writ: no use can be counted: {error}"));
                    Use::Unavailable
                }
            },
        };
        Ok(Judged { verdict: limited.settle(outcome), at, token })
    }

    fn ask_use(&self, plugin: &Rc<Plugin>, seen: Seen, limited: &LimitedPermit) -> Result<Asked, HostError> {
        let shared = plugin.feed().ok_or(NO_SERVER)?;
        let decision = shared.decisions().next(&self.host)?;
        let message = UseRequest { decision, token: limited.token(), grant: limited.limit().grant }.encode();
        let ticket = Ticket::holding(self.scope, seen, self.held.clone());
        let asker = Asker::Use {
            plugin: Rc::clone(plugin),
            ticket: Rc::clone(&ticket),
            limit: limited.limit().clone(),
        };
        let call = call::ask(&self.host, shared.config(), self.scope.root, METHOD, &message, asker);
        // The call is the root's, and all that follows is the request's again.
        self.host.enter(self.scope.context)?;
        Ok(Asked::new(ticket, call?))
    }
}

/// A filter whose snapshot came by file.
const NO_SERVER: HostError = HostError { call: "grpc_call: no server is configured", status: NOT_FOUND };
/// proxy-wasm ABI 0.2.1, `proxy_status_t`.
const NOT_FOUND: u32 = 1;
