//! What all streams of one plugin configuration share on one worker.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use verdict::{
    Denial, Freshness, Request, Snapshot, TokenKey, UnixTime, Verdict, VerifiedToken, VerifiedTokens,
    revocation::Revocations,
};

use crate::{
    bodies::Bodies,
    cache::TokenCache,
    config::{FeedConfig, FilterConfig},
    feed::shared::{self, Shared},
    host::{Host, HostError},
    lease::Leases,
    metrics::{CacheOutcome, FeedMetrics, Metrics},
    open::Open,
};

/// A configuration in force, or several that are fed the same.
#[derive(Debug)]
pub struct Plugin {
    snapshot: RefCell<Option<Snapshot>>,
    freshness: Cell<Freshness>,
    /// Proofs under the snapshot's keys and no others.
    tokens: RefCell<TokenCache>,
    metrics: Metrics,
    feed: Option<Shared>,
    open: Open,
    bodies: Bodies,
    leases: Leases,
    /// Unix second in which the open requests were last looked at.
    looked: Cell<u64>,
}

/// What a verdict rests on, beside the verdict.
#[derive(Debug)]
pub struct Judgement {
    /// Whether the request passes.
    pub verdict: Verdict,
    /// How its token was found, if one was looked up.
    pub lookup: Option<CacheOutcome>,
    /// The token that was looked up and has a proof.
    pub token: Option<Arc<VerifiedToken>>,
}

impl Judgement {
    /// A denial that rests on no token.
    #[must_use]
    pub fn deny(denial: Denial) -> Self {
        Self { verdict: Verdict::Deny(denial), lookup: None, token: None }
    }
}

impl Plugin {
    /// Puts a configuration in force. One that is fed may be in force already, under another root.
    ///
    /// # Errors
    /// The host refused to define the metrics.
    pub fn new(host: &impl Host, config: FilterConfig) -> Result<Rc<Self>, HostError> {
        match config {
            FilterConfig::Snapshot(snapshot) => {
                let plugin = Self::without_snapshot(host, None)?;
                plugin.install(host, snapshot, Freshness::Static);
                Ok(Rc::new(plugin))
            }
            FilterConfig::Feed(feed) => Self::fed(host, feed),
        }
    }

    fn fed(host: &impl Host, feed: FeedConfig) -> Result<Rc<Self>, HostError> {
        if let Some(plugin) = shared::find(&feed) {
            return Ok(plugin);
        }
        let shared = Shared::new(feed, FeedMetrics::define(host)?);
        let plugin = Rc::new(Self::without_snapshot(host, Some(shared))?);
        shared::publish(&plugin);
        Ok(plugin)
    }

    fn without_snapshot(host: &impl Host, feed: Option<Shared>) -> Result<Self, HostError> {
        Ok(Self {
            snapshot: RefCell::default(),
            freshness: Cell::new(Freshness::Static),
            tokens: RefCell::default(),
            metrics: Metrics::define(host)?,
            feed,
            open: Open::default(),
            bodies: Bodies::default(),
            leases: Leases::default(),
            looked: Cell::default(),
        })
    }

    /// Judges by another snapshot from now on. Proofs of tokens stay where they are proofs under it, too.
    pub fn install(&self, host: &impl Host, snapshot: Snapshot, freshness: Freshness) {
        // Host calls do not call back into the filter, and a verdict is over when its call returns: nobody holds
        // either. If somebody did, what is in force would stay.
        let (Ok(mut current), Ok(mut tokens)) =
            (self.snapshot.try_borrow_mut(), self.tokens.try_borrow_mut())
        else {
            return;
        };
        if !current.as_ref().is_some_and(|current| snapshot.keeps_proofs_of(current)) {
            *tokens = TokenCache::default();
        }
        // Whatever an edit withdrew is given back, and what it left is asked for again.
        let edition = |snapshot: &Snapshot| (snapshot.version().epoch, snapshot.version().generation);
        if current.as_ref().map(edition) != Some(edition(&snapshot)) {
            self.leases.clear();
        }
        self.metrics.publish(host, &snapshot);
        self.freshness.set(freshness);
        *current = Some(snapshot);
    }

    /// The snapshot in force was the newest at this instant.
    pub fn refresh(&self, as_of: UnixTime) {
        self.freshness.set(Freshness::AsOf(as_of));
    }

    /// The snapshot in force.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.snapshot.try_borrow().ok()?.clone()
    }

    /// Forgets revocations that are of no use any more at `now`.
    pub fn expire_revocations(&self, host: &impl Host, now: UnixTime) {
        let Ok(mut current) = self.snapshot.try_borrow_mut() else { return };
        let Some(snapshot) = current.as_mut() else { return };
        let mut revocations = snapshot.revocations().clone();
        revocations.expire(now);
        if revocations.len() != snapshot.revocations().len() {
            *snapshot = snapshot.revised(snapshot.version().revocation, revocations);
            self.metrics.publish(host, snapshot);
        }
    }

    /// The requests that are open.
    #[must_use]
    pub fn open(&self) -> &Open {
        &self.open
    }

    /// The bodies that are being read.
    #[must_use]
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// Services' own credentials.
    #[must_use]
    pub fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Dooms the open requests that a new one would be denied for: all of them after another snapshot, and those that
    /// `news` reach after a revision of it.
    pub fn doom(&self, now: UnixTime, news: Option<&Revocations>) {
        let Ok(current) = self.snapshot.try_borrow() else { return };
        let Some(snapshot) = current.as_ref() else { return };
        let freshness = self.freshness.get();
        self.open.doom(|standing| match news {
            Some(news) => standing.check_revocation(snapshot, news, now),
            None => standing
                .check_current(snapshot, freshness, now)
                .and_then(|()| standing.check_revocation(snapshot, snapshot.revocations(), now)),
        });
    }

    /// Dooms the open requests whose time has come. A look at each, once in a second; and at all that is revoked for
    /// those whose host has begun to enforce since.
    pub fn doom_expired(&self, now: UnixTime) {
        let before = UnixTime(self.looked.replace(now.0));
        if before == now {
            return;
        }
        let Ok(current) = self.snapshot.try_borrow() else { return };
        let Some(snapshot) = current.as_ref() else { return };
        let freshness = self.freshness.get();
        self.open.doom(|standing| {
            standing.check_current(snapshot, freshness, now)?;
            if standing.is_enforced_since(before, now) {
                standing.check_revocation(snapshot, snapshot.revocations(), now)?;
            }
            Ok(())
        });
    }

    /// Calls back with the name under which the snapshot lists the host of this `:authority`; empty if it does not.
    pub fn with_listed_host(&self, authority: &[u8], then: impl FnOnce(&str)) {
        let current = self.snapshot.try_borrow().ok();
        let snapshot = current.as_ref().and_then(|current| current.as_ref());
        then(snapshot.and_then(|snapshot| snapshot.listed_host(authority)).unwrap_or_default());
    }

    /// Whether there is a snapshot to judge by.
    #[must_use]
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.try_borrow().is_ok_and(|snapshot| snapshot.is_some())
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The feed; `None` where the snapshot came with the configuration.
    #[must_use]
    pub fn feed(&self) -> Option<&Shared> {
        self.feed.as_ref()
    }

    /// The verdict on `request`; `None` without a snapshot.
    #[must_use]
    pub fn judge(&self, request: &Request<'_>, now: UnixTime) -> Option<Judgement> {
        let snapshot = self.snapshot.try_borrow().ok()?;
        // Host calls do not call back into the filter, so nobody else holds the cache; if somebody did, the
        // request would be judged without it.
        let mut cache = self.tokens.try_borrow_mut();
        let mut tokens = Lookup { cache: cache.as_deref_mut().ok(), outcome: None, token: None };
        let verdict = verdict::decide(snapshot.as_ref()?, request, now, self.freshness.get(), &mut tokens);
        Some(Judgement { verdict, lookup: tokens.outcome, token: tokens.token })
    }
}

/// Remembers how one request's lookup went.
struct Lookup<'c> {
    cache: Option<&'c mut TokenCache>,
    outcome: Option<CacheOutcome>,
    token: Option<Arc<VerifiedToken>>,
}

impl VerifiedTokens for Lookup<'_> {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        let found = self.cache.as_mut().and_then(|cache| cache.lookup(key));
        self.outcome = Some(if found.is_some() { CacheOutcome::Hit } else { CacheOutcome::Miss });
        self.token.clone_from(&found);
        found
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.token = Some(Arc::clone(token));
        if let Some(cache) = &mut self.cache {
            cache.remember(key, token);
        }
    }
}

/// Whether another peer than none could change this verdict: the sender is all that a verdict reads
/// of a peer.
#[must_use]
pub fn depends_on_peer(verdict: &Verdict) -> bool {
    let denial = match verdict {
        Verdict::Allow(permit) => permit.shadowed_denial(),
        Verdict::Deny(denial) => Some(denial),
        Verdict::NeedsBody(_) | Verdict::NeedsUse(_) => None,
    };
    denial.is_some_and(|denial| denial.code() == verdict::DenialCode::SenderMismatch)
}
