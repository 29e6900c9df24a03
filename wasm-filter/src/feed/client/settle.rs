//! What time brings: requests that need wait no longer, requests that must end, and the pace of the ticks.

use std::rc::Rc;

use super::{Client, Shared, millis, seconds};
use crate::{
    call::{self, NoAnswer},
    host::{FeedHost, Level, UnixMillis},
    open::{self, MAX_SETTLED, TICK_IDLE, TICK_UNSETTLED},
    stream::{Known, Stream, credential},
    ticket::Ticket,
};

/// Milliseconds between ticks while there is no feed.
const TICK_PENDING: u32 = 100;
/// Seconds between searches for revocations that are of no use any more.
const EXPIRY_INTERVAL: u64 = 10;

impl<H: FeedHost + Clone> Client<H> {
    /// Ends the wait of requests: of the next ones by a verdict where there is a snapshot, of those who have waited
    /// long enough by a denial otherwise, and of those whose body does not end. Then ends the next of those that must go on no longer. The rest follows with
    /// the next ticks.
    pub(super) fn settle(&mut self, shared: &Shared, now: u64) {
        let waiting = shared.waiting();
        let tickets: Vec<Rc<Ticket>> = if self.plugin.has_snapshot() {
            waiting.take_first(MAX_SETTLED)
        } else {
            waiting.take_expired(millis(now), MAX_SETTLED)
        };
        for ticket in &tickets {
            Stream::settle(&self.host, &self.plugin, ticket, Known::default());
        }
        let room = MAX_SETTLED.saturating_sub(tickets.len());
        let at = UnixMillis(millis(now));
        let cut = Stream::cut_bodies(&self.host, &self.plugin, at, room);
        let room = room.saturating_sub(cut);
        let lent = credential::settle(&self.host, &self.plugin, room);
        let room = room.saturating_sub(lent);
        let ended = open::end_next(&self.host, &self.plugin, at, room);
        let is_settled = room > 0 && self.plugin.leases().is_settled();
        self.unsettled = !is_settled || self.plugin.open().is_ending();
        if !tickets.is_empty() || cut > 0 || lent > 0 || ended > 0 {
            // Back from the last request.
            let _ = self.host.enter(self.context);
            let left = i64::try_from(tickets.len()).unwrap_or(0);
            self.host.add(shared.metrics().waiting, left.saturating_neg());
        }
    }

    /// Forgets leases that have ended, and asks for those that requests wait for or that are used and end soon.
    pub(super) fn renew(&mut self, now: u64) {
        let now = millis(now);
        let plugin = Rc::clone(&self.plugin);
        let leases = plugin.leases();
        for (name, header) in leases.due(now) {
            leases.want(&name, &header);
        }
        for wanted in leases.take_wanted() {
            // A request has set another pace.
            self.tick = 0;
            if let Err(error) = credential::ask(&self.host, &plugin, self.context, &wanted) {
                self.host.log(Level::Error, &format!("writ: no credential can be asked for: {error}"));
                leases.land(&wanted.name, &wanted.flight, None, now);
            }
        }
    }

    /// Ends the wait of those whose calls ended unheard: the root that made them has gone.
    pub(super) fn settle_lost(&self, now: u64) {
        let lost = call::take_lost(millis(now));
        if !lost.is_empty() {
            lost.into_iter().for_each(|asker| asker.hear(&self.host, Err(NoAnswer)));
            let _ = self.host.enter(self.context);
        }
    }

    /// Forgets what has expired, now and then. By the sender's clock as well: if this one were ahead for a while, what
    /// it took for expired would count again after it was set right.
    pub(super) fn expire(&mut self, shared: &Shared, now: u64) {
        let now = seconds(now);
        // Also where the clock was set back.
        if now.0.abs_diff(self.expired) >= EXPIRY_INTERVAL {
            self.expired = now.0;
            self.plugin.expire_revocations(&self.host, now.min(shared.as_of().get()));
        }
    }

    /// As few ticks as will do.
    pub(super) fn pace(&mut self, shared: &Shared) {
        let opening = shared.is_held_by(self.context) && !self.link.is_answered();
        let pending = opening || self.ending.is_some() || !self.plugin.has_snapshot();
        let tick = match (self.unsettled, pending) {
            (true, _) => TICK_UNSETTLED,
            (false, true) => TICK_PENDING,
            (false, false) => TICK_IDLE,
        };
        if tick != self.tick && self.host.set_tick_period(tick).is_ok() {
            self.tick = tick;
        }
    }
}
