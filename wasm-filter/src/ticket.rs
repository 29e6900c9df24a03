//! A request that waits for what does not come by its own callbacks, known to them and to whoever ends the wait.
//!
//! Nothing of the request is kept here but how to find it again, and what is known of it beside its header fields: the
//! proxy holds those, under its own limits.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use verdict::Body;

use crate::{call::Call, host::Scope, open::Admission};

/// A request that waits.
#[derive(Debug)]
pub struct Ticket {
    scope: Scope,
    /// Whether there is a body, as far as the callbacks have told.
    body: Cell<Option<Body>>,
    outcome: RefCell<Option<Outcome>>,
}

/// What became of a request that waited.
#[derive(Debug)]
pub enum Outcome {
    /// It goes on; who can be ended has a place among the open requests.
    Allowed(Option<Admission>),
    /// The verdict depends on whether a body follows.
    AwaitingBody,
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
    /// A request that begins to wait.
    pub fn new(scope: Scope, body: Option<Body>) -> Rc<Self> {
        Rc::new(Self { scope, body: Cell::new(body), outcome: RefCell::default() })
    }

    /// Whose it is.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether there is a body, as far as is known.
    pub fn body(&self) -> Option<Body> {
        self.body.get()
    }

    /// The callbacks have told whether there is a body. The first answer is the one that counts: a byte that was
    /// seen stays seen.
    pub fn note_body(&self, body: Body) {
        if self.body.get().is_none() {
            self.body.set(Some(body));
        }
    }

    /// The wait is over.
    pub fn settle(&self, outcome: Outcome) {
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

    /// See [`Ticket::take_outcome`].
    pub fn take_outcome(&self) -> Option<Outcome> {
        self.ticket.take_outcome()
    }
}
