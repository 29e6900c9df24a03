//! Requests that came before the first snapshot. Each waits a little; nothing of it is kept here but how to find it
//! again. The proxy holds its fields, under its own limits.

use std::{cell::RefCell, rc::Rc};

use crate::{
    host::{Host, Scope},
    plugin::Plugin,
    stream::Seen,
    ticket::Ticket,
};

/// Most requests of a worker that wait at once.
pub const MAX_WAITING: usize = 1_000;
/// How long each waits, in milliseconds.
pub const PATIENCE: u64 = 2_000;

/// Who waits, in the order in which they came.
#[derive(Debug, Default)]
pub struct Waiting(RefCell<Vec<Waiter>>);

#[derive(Debug)]
struct Waiter {
    ticket: Rc<Ticket>,
    /// How long it may wait, in milliseconds.
    patience: u64,
    /// Unix milliseconds of the first tick that found it waiting.
    since: Option<u64>,
}

/// A request's own place among those who wait; given up when it is dropped.
#[derive(Debug)]
pub struct Place<H: Host> {
    host: H,
    plugin: Rc<Plugin>,
    ticket: Rc<Ticket>,
}

impl<H: Host> Place<H> {
    /// A place, if one is free and `plugin` is fed at all.
    pub fn take(host: H, plugin: &Rc<Plugin>, scope: Scope, seen: Seen) -> Option<Self> {
        let shared = plugin.feed()?;
        if shared.waiting().0.try_borrow().ok()?.len() >= MAX_WAITING {
            return None;
        }
        let ticket = Ticket::new(scope, seen);
        shared.waiting().add(&ticket, PATIENCE)?;
        host.add(shared.metrics().waiting, 1);
        Some(Self { host, plugin: Rc::clone(plugin), ticket })
    }

    /// What is known of it to those who look from outside the request's callbacks.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}

impl<H: Host> Drop for Place<H> {
    fn drop(&mut self) {
        let Some(shared) = self.plugin.feed() else { return };
        if shared.waiting().remove(&self.ticket) {
            self.host.add(shared.metrics().waiting, -1);
        }
    }
}

impl Waiter {
    fn has_waited(&mut self, now: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        // A clock that was set back must not prolong it.
        now < since || now.saturating_sub(since) >= self.patience
    }
}

impl Waiting {
    /// Somebody waits, so many milliseconds at most. `None` must not happen.
    pub fn add(&self, ticket: &Rc<Ticket>, patience: u64) -> Option<()> {
        self.0.try_borrow_mut().ok()?.push(Waiter { ticket: Rc::clone(ticket), patience, since: None });
        Some(())
    }

    /// One of them waits no more, if it still did.
    pub fn remove(&self, ticket: &Rc<Ticket>) -> bool {
        let Ok(mut waiting) = self.0.try_borrow_mut() else { return false };
        // The latest to come are mostly the first to go.
        let found = waiting.iter().rposition(|waiter| Rc::ptr_eq(&waiter.ticket, ticket));
        found.map(|index| waiting.remove(index)).is_some()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.0.try_borrow().is_ok_and(|waiting| waiting.is_empty())
    }

    /// Those at the front, up to so many, who wait no more.
    pub fn take_first(&self, most: usize) -> Vec<Rc<Ticket>> {
        let Ok(mut waiting) = self.0.try_borrow_mut() else { return Vec::new() };
        let count = most.min(waiting.len());
        waiting.drain(..count).map(|waiter| waiter.ticket).collect()
    }

    /// Those who have waited long enough, up to so many, who wait no more. `now`: Unix milliseconds.
    pub fn take_expired(&self, now: u64, most: usize) -> Vec<Rc<Ticket>> {
        let Ok(mut waiting) = self.0.try_borrow_mut() else { return Vec::new() };
        let mut expired = Vec::new();
        waiting.retain_mut(|waiter| {
            // Everybody is asked: a wait begins with the first question.
            let over = waiter.has_waited(now) && expired.len() < most;
            if over {
                expired.push(Rc::clone(&waiter.ticket));
            }
            !over
        });
        expired
    }
}
