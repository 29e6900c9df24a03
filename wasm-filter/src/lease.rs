//! Services' own credentials, each leased from the server for a while: in this worker's memory and nowhere else.
//!
//! A policy that changes takes all of them along. What a request waits for is asked for once, however many wait.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use verdict::{Injection, Limit, Use};
use zeroize::Zeroizing;

use crate::{call::Call, feed::messages::decode_lease, ticket::Ticket};

/// Most requests that wait for one credential.
pub const MAX_WAITING: usize = 1_000;
/// How long a refusal is remembered, in milliseconds: so often at most is a server asked in vain.
pub const RETRY: u64 = 1_000;
/// Longest lease that is believed, in milliseconds.
const LONGEST: u64 = 3_600_000;
/// Fewest bytes that are looked for in answers: fewer would be found everywhere.
const LEAST_MASKED: usize = 4;
/// What stands in their place.
const MASK: &[u8] = b"***";

/// A credential, for as long as it lasts. What it holds is overwritten when the last request that carries it has ended.
pub struct Lease {
    value: Zeroizing<String>,
    masked: Vec<Zeroizing<Vec<u8>>>,
    /// Unix milliseconds.
    renew_at: u64,
    until: u64,
}

/// The leases of a worker.
#[derive(Debug, Default)]
pub struct Leases {
    entries: RefCell<Vec<Entry>>,
    /// What the next tick is to ask for.
    wanted: RefCell<Vec<Wanted>>,
    /// Requests whose answer has come.
    answered: RefCell<Vec<Waiter>>,
}

/// A question that nobody has put yet.
#[derive(Debug)]
pub struct Wanted {
    /// The credential.
    pub name: Box<str>,
    /// The field that carries it.
    pub header: Box<str>,
    /// Who waits for it.
    pub flight: Rc<Flight>,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    header: Box<str>,
    lease: Option<Rc<Lease>>,
    flight: Option<Rc<Flight>>,
    /// Whether somebody had it since it came: only then it is renewed.
    is_used: bool,
    /// When to ask again after a refusal, Unix milliseconds.
    not_before: u64,
}

/// A question that is not answered yet, and who waits for it.
#[derive(Debug, Default)]
pub struct Flight {
    call: RefCell<Option<Call>>,
    waiters: RefCell<Vec<Waiter>>,
    is_over: Cell<bool>,
}

/// A request that waits for a lease.
#[derive(Debug)]
pub struct Waiter {
    /// The request.
    pub ticket: Rc<Ticket>,
    /// The use that was counted for it before.
    pub used: Option<(Limit, Use)>,
}

/// What there is of a credential.
#[derive(Debug)]
pub enum Found {
    /// It is here.
    Here(Rc<Lease>),
    /// It was asked for.
    Asked(Rc<Flight>),
    /// It was refused a moment ago.
    Refused,
    /// Nobody has asked.
    Nothing,
}

impl Lease {
    /// Reads a server's answer, which came at `now`, Unix milliseconds. `None`: it is none that can be used for `injection`.
    #[must_use]
    pub fn read(answer: &[u8], header: &str, now: u64) -> Option<Self> {
        let answer = decode_lease(answer)?;
        let value = std::str::from_utf8(answer.value).ok()?;
        let is_legal = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_legal || answer.header != header.as_bytes() || answer.lease_ms == 0 {
            return None;
        }
        let life = answer.lease_ms.min(LONGEST);
        let masked = answer.masked.into_iter().filter(|bytes| bytes.len() >= LEAST_MASKED);
        Some(Self {
            value: Zeroizing::new(value.to_owned()),
            masked: masked.map(|bytes| Zeroizing::new(bytes.to_vec())).collect(),
            renew_at: now.saturating_add(life / 2),
            until: now.saturating_add(life),
        })
    }

    /// The header value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// `value` without what must not be seen; `None` where nothing of it is there.
    #[must_use]
    pub fn mask(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut masked: Option<Vec<u8>> = None;
        for secret in &self.masked {
            let mut rest = masked.as_deref().unwrap_or(value);
            let mut clean = Vec::new();
            let mut found = false;
            while let Some(at) = rest.windows(secret.len()).position(|window| window == secret.as_slice()) {
                let (before, after) = rest.split_at(at);
                clean.extend_from_slice(before);
                clean.extend_from_slice(MASK);
                rest = after.get(secret.len()..).unwrap_or_default();
                found = true;
            }
            if found {
                clean.extend_from_slice(rest);
                masked = Some(clean);
            }
        }
        masked
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lease(until {})", self.until)
    }
}

impl Leases {
    /// What there is of the credential of this name at `now`, Unix milliseconds.
    pub fn find(&self, name: &str, now: u64) -> Found {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return Found::Refused };
        let Some(entry) = entries.iter_mut().find(|entry| &*entry.name == name) else {
            return Found::Nothing;
        };
        match (&entry.lease, &entry.flight) {
            (Some(lease), _) if now < lease.until => {
                entry.is_used = true;
                Found::Here(Rc::clone(lease))
            }
            (_, Some(flight)) => Found::Asked(Rc::clone(flight)),
            // A clock that was set back must not make a refusal last.
            (_, None) if now < entry.not_before && entry.not_before <= now.saturating_add(RETRY) => {
                Found::Refused
            }
            (_, None) => Found::Nothing,
        }
    }

    /// Somebody asks for it.
    fn begin(&self, name: &str, header: &str, flight: &Rc<Flight>) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        if let Some(entry) = entries.iter_mut().find(|entry| &*entry.name == name) {
            entry.flight = Some(Rc::clone(flight));
            return;
        }
        let (name, header, flight) = (name.into(), header.into(), Some(Rc::clone(flight)));
        entries.push(Entry { name, header, lease: None, flight, is_used: true, not_before: 0 });
    }

    /// Somebody wants it: the next tick asks.
    pub fn want(&self, name: &str, header: &str) -> Rc<Flight> {
        let flight = Rc::new(Flight::default());
        self.begin(name, header, &flight);
        if let Ok(mut wanted) = self.wanted.try_borrow_mut() {
            wanted.push(Wanted { name: name.into(), header: header.into(), flight: Rc::clone(&flight) });
        }
        flight
    }

    /// What is to be asked for now.
    pub fn take_wanted(&self) -> Vec<Wanted> {
        self.wanted.try_borrow_mut().map(|mut wanted| std::mem::take(&mut *wanted)).unwrap_or_default()
    }

    /// It has come, or not. An answer to what was asked before the policy changed changes nothing.
    pub fn land(&self, name: &str, flight: &Rc<Flight>, lease: Option<Lease>, now: u64) {
        flight.is_over.set(true);
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let is_its = |entry: &&mut Entry| {
            &*entry.name == name && entry.flight.as_ref().is_some_and(|own| Rc::ptr_eq(own, flight))
        };
        if let Some(entry) = entries.iter_mut().find(is_its) {
            entry.flight = None;
            match lease {
                Some(lease) => {
                    // Whoever waits has it.
                    let waited_for = flight.waiters.try_borrow().is_ok_and(|waiters| !waiters.is_empty());
                    entry.lease = Some(Rc::new(lease));
                    entry.is_used = waited_for;
                }
                None => entry.not_before = now.saturating_add(RETRY),
            }
        }
        if let (Ok(mut answered), Ok(mut waiters)) =
            (self.answered.try_borrow_mut(), flight.waiters.try_borrow_mut())
        {
            answered.append(&mut waiters);
        }
    }

    /// Requests whose answer has come, up to so many.
    pub fn take_answered(&self, most: usize) -> Vec<Waiter> {
        let Ok(mut answered) = self.answered.try_borrow_mut() else { return Vec::new() };
        let count = most.min(answered.len());
        answered.drain(..count).collect()
    }

    /// Whether requests are left whose answer has come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.answered.try_borrow().is_ok_and(|answered| answered.is_empty())
    }

    /// Forgets what has ended at `now`, and tells what is used and ends soon: its name and header.
    pub fn due(&self, now: u64) -> Vec<(Box<str>, Box<str>)> {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return Vec::new() };
        for entry in entries.iter_mut() {
            // Nor does one last because the clock was set back.
            entry.lease = entry
                .lease
                .take()
                .filter(|lease| now < lease.until && lease.until <= now.saturating_add(LONGEST));
        }
        let is_due = |entry: &&Entry| {
            let is_old = entry.lease.as_ref().is_some_and(|lease| now >= lease.renew_at);
            is_old && entry.is_used && entry.flight.is_none() && now >= entry.not_before
        };
        entries.iter().filter(is_due).map(|entry| (entry.name.clone(), entry.header.clone())).collect()
    }

    /// Forgets everything. Who waits gets an answer all the same, and asks again.
    pub fn clear(&self) {
        if let Ok(mut entries) = self.entries.try_borrow_mut() {
            entries.clear();
        }
    }
}

impl Flight {
    /// The call that will answer it.
    pub fn set_call(&self, call: Call) {
        // What has been answered meanwhile needs none.
        if !self.is_over.get()
            && let Ok(mut own) = self.call.try_borrow_mut()
        {
            *own = Some(call);
        }
    }

    /// One more waits. `false`: too many do.
    pub fn join(&self, waiter: Waiter) -> bool {
        let Ok(mut waiters) = self.waiters.try_borrow_mut() else { return false };
        if waiters.len() >= MAX_WAITING {
            return false;
        }
        waiters.push(waiter);
        true
    }
}

/// What a request goes on with.
#[derive(Debug)]
pub struct Loan {
    /// The credential.
    pub lease: Rc<Lease>,
    /// Which field carries it.
    pub injection: std::sync::Arc<Injection>,
    /// The cluster that it was lent for.
    pub cluster: String,
}
