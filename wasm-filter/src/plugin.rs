//! What all streams of one plugin configuration share on one worker.

use std::{cell::RefCell, sync::Arc};

use verdict::{Freshness, Request, Snapshot, TokenKey, UnixTime, Verdict, VerifiedToken, VerifiedTokens};

use crate::{
    cache::TokenCache,
    config::FilterConfig,
    host::{Host, HostError},
    metrics::{CacheOutcome, Metrics},
};

/// A configuration in force. A new one begins with an empty cache: proofs made under another set of keys do
/// not carry over.
#[derive(Debug)]
pub struct Plugin {
    snapshot: Snapshot,
    tokens: RefCell<TokenCache>,
    metrics: Metrics,
}

impl Plugin {
    /// Puts a configuration in force.
    ///
    /// # Errors
    /// The host refused to define the metrics.
    pub fn new(host: &impl Host, config: FilterConfig) -> Result<Self, HostError> {
        let FilterConfig { snapshot } = config;
        let metrics = Metrics::define(host, &snapshot)?;
        Ok(Self { snapshot, tokens: RefCell::default(), metrics })
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The verdict on `request`, and how its token was found if a token was looked up.
    #[must_use]
    pub fn judge(&self, request: &Request<'_>, now: UnixTime) -> (Verdict, Option<CacheOutcome>) {
        // Host calls do not call back into the filter, so nobody else holds the cache; if somebody did, the
        // request would be judged without it.
        let mut cache = self.tokens.try_borrow_mut();
        let mut tokens = Lookup { cache: cache.as_deref_mut().ok(), outcome: None };
        let verdict = verdict::decide(&self.snapshot, request, now, Freshness::Static, &mut tokens);
        (verdict, tokens.outcome)
    }
}

/// Remembers how one request's lookup went.
struct Lookup<'c> {
    cache: Option<&'c mut TokenCache>,
    outcome: Option<CacheOutcome>,
}

impl VerifiedTokens for Lookup<'_> {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        let found = self.cache.as_mut().and_then(|cache| cache.lookup(key));
        self.outcome = Some(if found.is_some() { CacheOutcome::Hit } else { CacheOutcome::Miss });
        found
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
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
    };
    denial.is_some_and(|denial| denial.code() == verdict::DenialCode::SenderMismatch)
}
