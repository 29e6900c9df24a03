//! A request that waits for what does not come by its own callbacks, known to them and to whoever ends the wait.
//!
//! Nothing of the request is kept here but how to find it again, and what is known of it beside its header fields: the
//! proxy holds those, under its own limits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{
    bodies::Held,
    call::Call,
    host::Scope,
    open::Admission,
    stream::{Known, Seen},
};

/// A request that waits.
#[derive(Debug)]
pub struct Ticket {
    scope: Scope,
    /// What the callbacks have told of the body.
    seen: Cell<Seen>,
    /// The body that the proxy holds for it, where one was read.
    held: RefCell<Option<Rc<Held>>>,
    outcome: RefCell<Option<Outcome>>,
}

/// What became of a request that waited.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on; who can be ended has a place among the open requests.
    Allowed(Option<Admission>),
    /// The verdict depends on a body that is still to come.
    AwaitingBody(Seen, Known),
    /// The verdict depends on an answer of the server.
    AwaitingAnswer(Asked),
    /// It was answered.
    Denied,
}

/// A request's own end of a call that it waits for.
#[derive(Debug)]
pub struct Asked {
    ticket: Rc<Ticket>,
    /// Nobody need answer a request that has gone; `None`: others wait for the same answer.
    _call: Option<Call>,
}

impl Ticket {
    /// A request that begins to wait, and what is known of its body.
    pub fn new(scope: Scope, seen: Seen) -> Rc<Self> {
        Self::holding(scope, seen, None)
    }

    /// The same of one whose body was read, for as long as it waits.
    pub fn holding(scope: Scope, seen: Seen, held: Option<Rc<Held>>) -> Rc<Self> {
        Rc::new(Self { scope, seen: Cell::new(seen), held: RefCell::new(held), outcome: RefCell::default() })
    }

    /// Whose it is.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What is known of the body.
    pub fn seen(&self) -> Seen {
        self.seen.get()
    }

    /// More is known of the body. A byte that was seen stays seen.
    pub fn note(&self, seen: Seen) {
        self.seen.set(self.seen.get().and(seen));
    }

    /// The wait is over.
    pub fn settle(&self, outcome: Outcome) {
        let _held = self.held.try_borrow_mut().ok().and_then(|mut held| held.take());
        // What it replaces is dropped last: it may hold others.
        let _before = self.outcome.try_borrow_mut().ok().and_then(|mut held| held.replace(outcome));
    }

    /// What became of the request, once something has; told once.
    pub fn take_outcome(&self) -> Option<Outcome> {
        self.outcome.try_borrow_mut().ok()?.take()
    }
}

impl Asked {
    /// The request that `ticket` stands for waits for the answer of `call`.
    pub fn new(ticket: Rc<Ticket>, call: Call) -> Self {
        Self { ticket, _call: Some(call) }
    }

    /// The request that `ticket` stands for waits for an answer that is others', too.
    pub fn shared(ticket: Rc<Ticket>) -> Self {
        Self { ticket, _call: None }
    }

    /// What the request is found by.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}
