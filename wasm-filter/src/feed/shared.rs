//! What all roots of a worker with the same feed section share.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use verdict::DenialCode;

use super::{
    as_of::AsOf,
    decisions::Decisions,
    digest::Held,
    report::{Decision, Report},
};
use crate::{
    config::FeedConfig,
    host::{ContextId, Host, StreamId},
    metrics::FeedMetrics,
    plugin::Plugin,
    waiting::Waiting,
};

/// Most bytes of reports sent before the server is heard again: what the proxy may have to hold for one that does
/// not read.
const MAX_UNANSWERED: usize = 4 << 20;

/// One feed on one worker.
#[derive(Debug)]
pub struct Shared {
    config: FeedConfig,
    metrics: FeedMetrics,
    held: Cell<Option<Held>>,
    as_of: AsOf,
    owner: Cell<Option<ContextId>>,
    stream: Cell<Option<StreamId>>,
    unanswered: Cell<usize>,
    report: RefCell<Report>,
    waiting: Waiting,
    decisions: Decisions,
}

thread_local! {
    /// The feeds of this virtual machine that some root or request still uses.
    static FEEDS: RefCell<Vec<Weak<Plugin>>> = const { RefCell::new(Vec::new()) };
}

/// What is shared already under this feed section.
#[must_use]
pub fn find(config: &FeedConfig) -> Option<Rc<Plugin>> {
    FEEDS.with_borrow(|feeds| {
        let mut live = feeds.iter().filter_map(Weak::upgrade);
        live.find(|plugin| plugin.feed().is_some_and(|shared| shared.config() == config))
    })
}

/// Lets later roots find `plugin`.
pub fn publish(plugin: &Rc<Plugin>) {
    FEEDS.with_borrow_mut(|feeds| {
        feeds.retain(|feed| feed.strong_count() > 0);
        feeds.push(Rc::downgrade(plugin));
    });
}

impl Shared {
    /// A feed that nothing has come from yet.
    #[must_use]
    pub fn new(config: FeedConfig, metrics: FeedMetrics) -> Self {
        Self {
            config,
            metrics,
            held: Cell::default(),
            as_of: AsOf::default(),
            owner: Cell::default(),
            stream: Cell::default(),
            unanswered: Cell::default(),
            report: RefCell::default(),
            waiting: Waiting::default(),
            decisions: Decisions::default(),
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn config(&self) -> &FeedConfig {
        &self.config
    }

    /// Its metrics.
    #[must_use]
    pub fn metrics(&self) -> &FeedMetrics {
        &self.metrics
    }

    /// The requests that wait for its first snapshot.
    #[must_use]
    pub fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// The names of its decisions.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// What is in force.
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        self.held.get()
    }

    /// Another document is in force; how fresh the one before was counts no more.
    pub fn hold(&self, held: Held) {
        self.held.set(Some(held));
        self.as_of.reset();
    }

    /// How fresh it is.
    #[must_use]
    pub fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// The root that holds the stream from now on; whoever held it before ends its own.
    pub fn take_over(&self, root: ContextId) {
        self.owner.set(Some(root));
        self.stream.set(None);
    }

    /// Whether it is this root that holds the stream: the last one configured, or where that is gone, the first to
    /// ask.
    pub fn is_held_by(&self, root: ContextId) -> bool {
        if self.owner.get().is_none() {
            self.owner.set(Some(root));
        }
        self.owner.get() == Some(root)
    }

    /// This root is gone.
    pub fn leave(&self, root: ContextId) {
        if self.owner.get() == Some(root) {
            self.owner.set(None);
            self.stream.set(None);
        }
    }

    /// The owner's stream now.
    pub fn set_stream(&self, stream: Option<StreamId>) {
        self.stream.set(stream);
        self.unanswered.set(0);
    }

    /// The server was heard: it reads, too.
    pub fn answered(&self) {
        self.unanswered.set(0);
    }

    /// Another version of the same document is in force.
    pub fn advance(&self, held: Held) {
        self.held.set(Some(held));
    }

    /// Counts a verdict, and keeps the decision if it was on a verified token. `context` is the request's.
    pub fn record(&self, host: &impl Host, context: ContextId, decision: Option<&Decision<'_>>) {
        // Nobody else holds it: host calls do not call back.
        let Ok(mut report) = self.report.try_borrow_mut() else { return };
        report.count();
        self.add(host, &mut report, decision);
        if report.is_half_full()
            && self.may_send()
            && let Some(owner) = self.owner.get()
        {
            // The stream is the root's, not the request's.
            if host.enter(owner).is_ok() {
                self.send(host, &mut report);
            }
            let _ = host.enter(context);
        }
    }

    /// Counts a denial that rests on no verified token, at a host as the snapshot lists it.
    pub fn refuse(&self, code: DenialCode, listed: &str) {
        if let Ok(mut report) = self.report.try_borrow_mut() {
            report.count();
            report.refuse(code, listed);
        }
    }

    /// Keeps that a request which was let through was ended. It was counted when it came.
    pub fn record_end(&self, host: &impl Host, decision: &Decision<'_>) {
        if let Ok(mut report) = self.report.try_borrow_mut() {
            self.add(host, &mut report, Some(decision));
        }
    }

    fn add(&self, host: &impl Host, report: &mut Report, decision: Option<&Decision<'_>>) {
        if decision.is_some_and(|decision| !report.add(decision)) {
            host.increment(self.metrics.dropped);
        }
    }

    /// Sends what was decided, if anything was. The current context is the owner.
    pub fn send_report(&self, host: &impl Host) {
        if let Ok(mut report) = self.report.try_borrow_mut()
            && self.may_send()
        {
            self.send(host, &mut report);
        }
    }

    fn may_send(&self) -> bool {
        self.stream.get().is_some() && self.unanswered.get() < MAX_UNANSWERED
    }

    fn send(&self, host: &impl Host, report: &mut Report) {
        let (Some(stream), Some(message)) = (self.stream.get(), report.message()) else { return };
        match host.send(stream, &message, false) {
            Ok(()) => {
                self.unanswered.set(self.unanswered.get().saturating_add(message.len()));
                report.clear();
            }
            // It has ended; the next stream gets the report.
            Err(_) => self.stream.set(None),
        }
    }
}
