//! The second judgement, of a request whose body had to be read first.

use std::rc::Rc;

use verdict::{Body, BodyNeed};

use super::{Flow, Phase, Seen, Stream};
use crate::{bodies::Reading, host::FeedHost, plugin::Plugin};

impl<H: FeedHost + Clone> Stream<H> {
    /// Everything but the body is in order: from here on the proxy holds what comes of it, and nothing goes on.
    pub(super) fn begin_reading(
        &mut self,
        plugin: &Rc<Plugin>,
        need: BodyNeed,
        task: &str,
        seen: Seen,
    ) -> Flow {
        match Reading::begin(plugin, self.scope, task, need.most) {
            Some(reading) => self.read(reading, seen),
            None => self.judge_again(Body::Unread),
        }
    }

    /// Takes notice of what has come, and judges once it is all, or too much.
    pub(super) fn read(&mut self, reading: Reading, seen: Seen) -> Flow {
        reading.ticket().note(seen);
        let Seen { size, whole } = reading.ticket().seen();
        if size > reading.most() {
            return self.judge_again(Body::TooLarge);
        }
        if !reading.hold(size) {
            return self.judge_again(Body::Unread);
        }
        if !whole {
            self.phase = Phase::Reading(reading);
            return Flow::Pause;
        }
        match self.host.request_body(size) {
            Ok(body) => {
                // Who has to ask a server waits with the body.
                self.held = Some(Rc::clone(reading.held()));
                let flow = self.judge_as(reading.ticket().seen(), Body::Whole(&body));
                self.held = None;
                flow
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Judges anew, by what is in force now: a revocation may have come with the body.
    pub(super) fn judge_again(&mut self, body: Body<'_>) -> Flow {
        self.judge_as(Seen::default(), body)
    }

    /// The same where all of it has come: should a server be asked, it is read once more with the answer.
    fn judge_as(&mut self, seen: Seen, body: Body<'_>) -> Flow {
        // No such body is asked for a second time; if it were, the request would end here.
        self.judge_with(Some(body), seen)
    }
}
