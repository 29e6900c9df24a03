//! Requests that were let through by a token, or in shadow mode only, and are still open: downloads, event streams, upgraded
//! connections, calls of gRPC. Each lives as long as what it was granted by, and no longer.

use std::{cell::RefCell, collections::VecDeque, fmt, mem, rc::Rc};

use verdict::{Denial, Standing};

use crate::{
    feed::report::Decision,
    host::{ContextId, Host, Level, UnixMillis},
    lease::Lease,
    plugin::Plugin,
    stream::{self, DENIAL_PROPERTY},
};

/// Most requests settled or ended in one callback. The proxy answers after the callback, each within the call that
/// ends the one before: some hundreds are more than its stack for the sandbox holds.
pub const MAX_SETTLED: usize = 32;
/// Milliseconds between ticks while some are left.
pub const TICK_UNSETTLED: u32 = 10;
/// Milliseconds between ticks otherwise: so late may an expired request end.
pub const TICK_IDLE: u32 = 1_000;

/// Who is open, and who of them must be ended. 32 bytes for each that is open at once.
#[derive(Debug, Default)]
pub struct Open {
    slots: RefCell<Slots>,
    doomed: RefCell<VecDeque<Doomed>>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<Slot>,
    /// The first that is free.
    free: Option<usize>,
}

#[derive(Debug)]
enum Slot {
    /// Nobody's; and the next that is free.
    Free(Option<usize>),
    /// A request that is open.
    Open(ContextId, Standing),
    /// A request that must end.
    Doomed,
    /// A request that was ended, until the proxy says so.
    Ended,
}

/// A request that must go on no longer.
#[derive(Debug)]
struct Doomed {
    slot: usize,
    context: ContextId,
    denial: Denial,
    standing: Standing,
}

/// A request's own place among the open ones; given up when it is dropped, which is when the proxy has ended it.
pub struct Admission {
    plugin: Rc<Plugin>,
    slot: usize,
    /// The credential that the request carries, to be hidden in its answer.
    lease: Option<Rc<Lease>>,
}

impl Admission {
    /// A place for a request that rests on `standing`. `None` must not happen, and the request must not go on then.
    pub fn take(plugin: &Rc<Plugin>, context: ContextId, standing: Standing) -> Option<Self> {
        let mut slots = plugin.open().slots.try_borrow_mut().ok()?;
        let slot = slots.take(Slot::Open(context, standing))?;
        Some(Self { plugin: Rc::clone(plugin), slot, lease: None })
    }

    /// The same, of a request that carries this credential.
    #[must_use]
    pub fn carrying(mut self, lease: &Rc<Lease>) -> Self {
        self.lease = Some(Rc::clone(lease));
        self
    }

    /// The credential that the request carries.
    #[must_use]
    pub fn lease(&self) -> Option<&Rc<Lease>> {
        self.lease.as_ref()
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Admission({})", self.slot)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.plugin.open().give_up(self.slot);
    }
}

impl Slots {
    fn take(&mut self, taken: Slot) -> Option<usize> {
        let Some(index) = self.free else {
            self.all.push(taken);
            return self.all.len().checked_sub(1);
        };
        let slot = self.all.get_mut(index)?;
        if let Slot::Free(next) = mem::replace(slot, taken) {
            self.free = next;
        }
        Some(index)
    }

    fn give_up(&mut self, index: usize) -> Option<Slot> {
        let given_up = mem::replace(self.all.get_mut(index)?, Slot::Free(self.free));
        self.free = Some(index);
        Some(given_up)
    }
}

impl Open {
    /// Dooms everybody whom `check` refuses.
    pub fn doom(&self, check: impl Fn(&Standing) -> Result<(), Denial>) {
        let (Ok(mut slots), Ok(mut doomed)) = (self.slots.try_borrow_mut(), self.doomed.try_borrow_mut())
        else {
            return;
        };
        for (index, slot) in slots.all.iter_mut().enumerate() {
            let Slot::Open(_, standing) = slot else { continue };
            let Err(denial) = check(standing) else { continue };
            if let Slot::Open(context, standing) = mem::replace(slot, Slot::Doomed) {
                doomed.push_back(Doomed { slot: index, context, denial, standing });
            }
        }
    }

    /// Whether somebody is left to be ended.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.doomed.try_borrow().is_ok_and(|doomed| !doomed.is_empty())
    }

    fn next_doomed(&self) -> Option<Doomed> {
        let next = self.doomed.try_borrow_mut().ok()?.pop_front()?;
        if let Some(slot) = self.slots.try_borrow_mut().ok()?.all.get_mut(next.slot) {
            *slot = Slot::Ended;
        }
        Some(next)
    }

    fn give_up(&self, index: usize) {
        let Ok(mut slots) = self.slots.try_borrow_mut() else { return };
        // The proxy may still know the context of a request that has just gone, but must not be asked to end it.
        if let Some(Slot::Doomed) = slots.give_up(index)
            && let Ok(mut doomed) = self.doomed.try_borrow_mut()
        {
            doomed.retain(|doomed| doomed.slot != index);
        }
    }
}

/// Ends the next of the doomed, up to so many, and says how many. Leaves the context of one of them the current one.
pub fn end_next(host: &impl Host, plugin: &Plugin, at: UnixMillis, most: usize) -> usize {
    let mut ended = 0_usize;
    while ended < most
        && let Some(Doomed { context, denial, standing, .. }) = plugin.open().next_doomed()
    {
        // A request that has ended by itself meanwhile needs no end.
        if host.enter(context).is_err() {
            continue;
        }
        ended = ended.saturating_add(1);
        let _ = host.set_property(DENIAL_PROPERTY, denial.code().as_str());
        // Where the response has not begun this is the response. Where it has, the proxy resets the request: nothing
        // else can be said any more.
        if let Err(error) = stream::respond(host, &denial, &[]) {
            host.log(Level::Error, &format!("writ: a request that should end goes on: {error}"));
        }
        stream::log_denial(host, Level::Debug, "end", &denial);
        plugin.metrics().count_ended(host, &denial);
        // What no token granted was recorded when shadow mode let it through.
        if let (Some(shared), Some(token)) = (plugin.feed(), standing.token()) {
            let decision = Decision {
                at,
                verdict: denial.code().as_str(),
                task: token.task(),
                agent: token.holder(),
                client: token.client(),
                jti: token.id(),
                ..Decision::default()
            };
            shared.record_end(host, &decision);
        }
    }
    ended
}
