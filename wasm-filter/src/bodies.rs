//! Bodies that a verdict rests on, while they come. The proxy holds them; how much of them and for how long is bounded
//! here. Only requests with a good token get this far.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::{host::Scope, plugin::Plugin, stream::Seen, ticket::Ticket, waiting::Waiting};

/// Most bytes that the proxy may hold for a configuration on a worker.
pub const MAX_HELD: usize = 16 * 1024 * 1024;
/// Most of it for one task, whose holder could let bodies hang and starve the others.
pub const MAX_HELD_BY_TASK: usize = MAX_HELD / 8;
/// What a body counts at least, in bytes: a place costs something, too.
const LEAST: usize = 1024;
/// How long each may take, in milliseconds. The shipped configuration of Envoy ends a request sooner.
pub const PATIENCE: u64 = 10_000;

/// The bodies that are being read.
#[derive(Debug, Default)]
pub struct Bodies {
    waiting: Waiting,
    /// Bytes.
    held: Cell<usize>,
    /// The part of each task that has one, bytes.
    by_task: RefCell<Vec<(Box<str>, usize)>>,
}

/// One of them; given up when it is dropped, which is when the request was judged or has ended.
#[derive(Debug)]
pub struct Reading {
    ticket: Rc<Ticket>,
    /// Longest body that the rule reads, bytes.
    most: usize,
    held: Rc<Held>,
}

/// What the proxy holds of a body; given up when it is dropped. It outlasts the reading where a server has to be asked.
#[derive(Debug)]
pub struct Held {
    plugin: Rc<Plugin>,
    task: Box<str>,
    /// Its part of what is held, bytes.
    size: Cell<usize>,
}

impl Bodies {
    /// Those that took too long, up to so many. `now`: Unix milliseconds.
    pub fn take_expired(&self, now: u64, most: usize) -> Vec<Rc<Ticket>> {
        self.waiting.take_expired(now, most)
    }
}

impl Reading {
    /// Begins to read a body of at most `most` bytes, for `task`. `None` must not happen.
    pub fn begin(plugin: &Rc<Plugin>, scope: Scope, task: &str, most: usize) -> Option<Self> {
        let ticket = Ticket::new(scope, Seen::default());
        plugin.bodies().waiting.add(&ticket, PATIENCE)?;
        let held = Rc::new(Held { plugin: Rc::clone(plugin), task: task.into(), size: Cell::new(0) });
        Some(Self { ticket, most, held })
    }

    /// Longest body that the rule reads, bytes.
    pub fn most(&self) -> usize {
        self.most
    }

    /// What is known of it to those who look from outside the request's callbacks.
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Whether there is room for so many bytes of it.
    #[must_use]
    pub fn hold(&self, size: usize) -> bool {
        self.held.set(size.max(LEAST))
    }

    /// What is held of it.
    pub fn held(&self) -> &Rc<Held> {
        &self.held
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.held.plugin.bodies().waiting.remove(&self.ticket);
    }
}

impl Held {
    fn set(&self, size: usize) -> bool {
        let bodies = self.plugin.bodies();
        let grown = |held: usize| held.saturating_sub(self.size.get()).saturating_add(size);
        let all = grown(bodies.held.get());
        if all > MAX_HELD || !self.set_of_task(grown) {
            return false;
        }
        bodies.held.set(all);
        self.size.set(size);
        true
    }

    fn set_of_task(&self, grown: impl Fn(usize) -> usize) -> bool {
        let Ok(mut tasks) = self.plugin.bodies().by_task.try_borrow_mut() else { return false };
        let index = tasks.iter().position(|(task, _)| *task == self.task);
        let held = grown(index.and_then(|index| tasks.get(index)).map_or(0, |(_, held)| *held));
        match (index, held) {
            (_, held) if held > MAX_HELD_BY_TASK => return false,
            (Some(index), 0) => drop(tasks.swap_remove(index)),
            (Some(index), held) => tasks.get_mut(index).into_iter().for_each(|(_, own)| *own = held),
            (None, 0) => {}
            (None, held) => tasks.push((self.task.clone(), held)),
        }
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}
