//! Requests that came before the first snapshot. Each waits a little; nothing of it is kept here but how to find it
//! again. The proxy holds its fields, under its own limits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    host::{ContextId, Host},
    open::Admission,
    plugin::Plugin,
    stream::Seen,
};

/// Most requests of a worker that wait at once.
pub const MAX_WAITING: usize = 1_000;
/// How long each waits, in milliseconds.
pub const PATIENCE: u64 = 2_000;

/// Who waits, in the order in which they came.
#[derive(Debug, Default)]
pub struct Waiting(RefCell<Vec<Rc<Ticket>>>);

/// A request that waits, known to its own callbacks and to the root.
#[derive(Debug)]
pub struct Ticket {
    context: ContextId,
    /// What the callbacks have told of the body.
    seen: Cell<Seen>,
    /// How long it may wait, in milliseconds.
    patience: u64,
    /// Unix milliseconds of the first tick that found it waiting.
    since: Cell<Option<u64>>,
    outcome: Cell<Option<Outcome>>,
    /// The place of a request that was let through, until its own callbacks take it over.
    admission: RefCell<Option<Admission>>,
}

/// What became of a request that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Allowed,
    /// There is a snapshot, and the verdict depends on a body that is still to come.
    AwaitingBody,
    /// It was answered.
    Denied,
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
    pub fn take(host: H, plugin: &Rc<Plugin>, context: ContextId, seen: Seen) -> Option<Self> {
        let shared = plugin.feed()?;
        let mut waiting = shared.waiting().0.try_borrow_mut().ok()?;
        if waiting.len() >= MAX_WAITING {
            return None;
        }
        let ticket = Rc::new(Ticket::new(context, PATIENCE));
        ticket.note(seen);
        waiting.push(Rc::clone(&ticket));
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

impl Ticket {
    /// For a request that waits so many milliseconds at most.
    #[must_use]
    pub fn new(context: ContextId, patience: u64) -> Self {
        Self {
            context,
            seen: Cell::default(),
            patience,
            since: Cell::default(),
            outcome: Cell::default(),
            admission: RefCell::default(),
        }
    }

    /// Whose it is.
    pub fn context(&self) -> ContextId {
        self.context
    }

    /// What is known of the body.
    pub fn seen(&self) -> Seen {
        self.seen.get()
    }

    /// More is known of the body. A byte that was seen stays seen.
    pub fn note(&self, seen: Seen) {
        self.seen.set(self.seen.get().and(seen));
    }

    /// What became of the request, once something has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.get()
    }

    /// The place of the request among the open ones, if it was let through by a token.
    pub fn admission(&self) -> Option<Admission> {
        self.admission.take()
    }

    /// It goes on, from this place.
    pub fn admit(&self, admission: Option<Admission>) {
        self.admission.replace(admission);
        self.settle(Outcome::Allowed);
    }

    /// The wait is over.
    pub fn settle(&self, outcome: Outcome) {
        self.outcome.set(Some(outcome));
    }

    fn has_waited(&self, now: u64) -> bool {
        let since = self.since.get().unwrap_or(now);
        self.since.set(Some(since));
        // A clock that was set back must not prolong it.
        now < since || now.saturating_sub(since) >= self.patience
    }
}

impl Waiting {
    /// Somebody waits. `None` must not happen.
    pub fn add(&self, ticket: &Rc<Ticket>) -> Option<()> {
        self.0.try_borrow_mut().ok()?.push(Rc::clone(ticket));
        Some(())
    }

    /// One of them waits no more, if it still did.
    pub fn remove(&self, ticket: &Rc<Ticket>) -> bool {
        let Ok(mut waiting) = self.0.try_borrow_mut() else { return false };
        // The latest to come are mostly the first to go.
        let found = waiting.iter().rposition(|other| Rc::ptr_eq(other, ticket));
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
        waiting.drain(..count).collect()
    }

    /// Those who have waited long enough, up to so many, who wait no more. `now`: Unix milliseconds.
    pub fn take_expired(&self, now: u64, most: usize) -> Vec<Rc<Ticket>> {
        let Ok(mut waiting) = self.0.try_borrow_mut() else { return Vec::new() };
        let mut expired = Vec::new();
        waiting.retain(|ticket| {
            // Everybody is asked: a wait begins with the first question.
            let over = ticket.has_waited(now) && expired.len() < most;
            if over {
                expired.push(Rc::clone(ticket));
            }
            !over
        });
        expired
    }
}
