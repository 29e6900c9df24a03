//! Counters and gauges of the filter, in Envoy's `/stats` with the prefix `wasmcustom.`.
//!
//! No name carries a task, agent or client: a metric lives as long as the proxy, and strangers choose those.

use verdict::{Denial, DenialCode, Permit, PermitKind, Snapshot};

use crate::host::{Host, HostError, MetricId, MetricKind};

/// The metrics of one configuration. All are defined when it is applied, so that a code that never occurred
/// reads zero instead of being absent.
#[derive(Debug)]
pub struct Metrics {
    allowed: MetricId,
    exempt: MetricId,
    denied: Vec<(DenialCode, MetricId)>,
    shadowed: Vec<(DenialCode, MetricId)>,
    cache_hit: MetricId,
    cache_miss: MetricId,
}

/// How the token of a request was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheOutcome {
    /// Verified before on this worker.
    Hit,
    /// Not remembered.
    Miss,
}

impl Metrics {
    /// Defines every metric and publishes the snapshot's version.
    ///
    /// # Errors
    /// The host refused to define one.
    pub fn define(host: &impl Host, snapshot: &Snapshot) -> Result<Self, HostError> {
        let counter = |name: &str| host.define_metric(MetricKind::Counter, name);
        let by_code = |prefix: &str| -> Result<Vec<(DenialCode, MetricId)>, HostError> {
            let define =
                |&code: &DenialCode| Ok((code, counter(&format!("writ.{prefix}.{}", code.as_str()))?));
            DenialCode::ALL.iter().map(define).collect()
        };
        let version = snapshot.version();
        let gauges = [
            ("writ.snapshot.epoch", version.epoch),
            ("writ.snapshot.generation", version.generation),
            ("writ.snapshot.revocation", version.revocation),
        ];
        for (name, value) in gauges {
            host.record(host.define_metric(MetricKind::Gauge, name)?, value);
        }
        Ok(Self {
            allowed: counter("writ.decisions.allow")?,
            exempt: counter("writ.decisions.exempt")?,
            denied: by_code("decisions")?,
            shadowed: by_code("shadow")?,
            cache_hit: counter("writ.token_cache.hit")?,
            cache_miss: counter("writ.token_cache.miss")?,
        })
    }

    /// Counts a request that is forwarded.
    pub fn count_permit(&self, host: &impl Host, permit: &Permit) {
        match (permit.kind(), permit.shadowed_denial()) {
            (PermitKind::Exempt, _) => host.increment(self.exempt),
            (_, Some(denial)) => increment_code(host, &self.shadowed, denial.code()),
            (_, None) => host.increment(self.allowed),
        }
    }

    /// Counts a request that is answered with a denial.
    pub fn count_denial(&self, host: &impl Host, denial: &Denial) {
        increment_code(host, &self.denied, denial.code());
    }

    /// Counts a lookup in the token cache.
    pub fn count_lookup(&self, host: &impl Host, outcome: CacheOutcome) {
        host.increment(match outcome {
            CacheOutcome::Hit => self.cache_hit,
            CacheOutcome::Miss => self.cache_miss,
        });
    }
}

fn increment_code(host: &impl Host, counters: &[(DenialCode, MetricId)], code: DenialCode) {
    if let Some((_, id)) = counters.iter().find(|(known, _)| *known == code) {
        host.increment(*id);
    }
}
