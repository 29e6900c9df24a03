//! Counters and gauges of the filter, in Envoy's `/stats` with the prefix `wasmcustom.`.
//!
//! No name carries a task, agent or client: a metric lives as long as the proxy, and strangers choose those.

use verdict::{Denial, DenialCode, Permit, PermitKind, Snapshot, document::Version};

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
    epoch: MetricId,
    generation: MetricId,
    revocation: MetricId,
    revocations: MetricId,
    ended: Vec<(DenialCode, MetricId)>,
}

/// The metrics of a feed, summed over the workers.
#[derive(Debug)]
pub struct FeedMetrics {
    /// Gauge: streams that a server has answered and that are open.
    pub connected: MetricId,
    /// Counter: streams that a server has answered.
    pub connects: MetricId,
    /// Counter: streams that have ended, and those that were never answered.
    pub closed: MetricId,
    /// Counter: snapshots put in force.
    pub snapshots: MetricId,
    /// Counter: deltas put in force.
    pub deltas: MetricId,
    /// Counter: snapshots and deltas refused.
    pub nacks: MetricId,
    /// Gauge: when the sender last read its store completely, Unix seconds, as last heard by any worker.
    pub as_of: MetricId,
    /// Gauge: requests that wait for the first snapshot.
    pub waiting: MetricId,
    /// Counter: decisions that are missing in the reports.
    pub dropped: MetricId,
    /// Counter: credentials that a server has leased.
    pub leases: MetricId,
    /// Counter: and those that it has not.
    pub leases_refused: MetricId,
    /// Counter: parts of answers in which a credential was hidden.
    pub masked: MetricId,
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
    /// Defines every metric.
    ///
    /// # Errors
    /// The host refused to define one.
    pub fn define(host: &impl Host) -> Result<Self, HostError> {
        let counter = |name: &str| host.define_metric(MetricKind::Counter, name);
        let gauge = |name: &str| host.define_metric(MetricKind::Gauge, name);
        let by_code =
            |prefix: &str, codes: &[DenialCode]| -> Result<Vec<(DenialCode, MetricId)>, HostError> {
                let define =
                    |&code: &DenialCode| Ok((code, counter(&format!("writ.{prefix}.{}", code.as_str()))?));
                codes.iter().map(define).collect()
            };
        Ok(Self {
            allowed: counter("writ.decisions.allow")?,
            exempt: counter("writ.decisions.exempt")?,
            denied: by_code("decisions", DenialCode::ALL)?,
            shadowed: by_code("shadow", DenialCode::ALL)?,
            cache_hit: counter("writ.token_cache.hit")?,
            cache_miss: counter("writ.token_cache.miss")?,
            epoch: gauge("writ.snapshot.epoch")?,
            generation: gauge("writ.snapshot.generation")?,
            revocation: gauge("writ.snapshot.revocation")?,
            revocations: gauge("writ.revocations")?,
            ended: by_code("ended", DenialCode::ALL)?,
        })
    }

    /// Publishes the version in force, and how much is revoked.
    pub fn publish(&self, host: &impl Host, snapshot: &Snapshot) {
        let Version { epoch, generation, revocation } = snapshot.version();
        host.record(self.revocations, snapshot.revocations().len().try_into().unwrap_or(u64::MAX));
        for (gauge, value) in
            [(self.epoch, epoch), (self.generation, generation), (self.revocation, revocation)]
        {
            host.record(gauge, value);
        }
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

    /// Counts a request that was let through and is ended.
    pub fn count_ended(&self, host: &impl Host, denial: &Denial) {
        increment_code(host, &self.ended, denial.code());
    }

    /// Counts a lookup in the token cache.
    pub fn count_lookup(&self, host: &impl Host, outcome: CacheOutcome) {
        host.increment(match outcome {
            CacheOutcome::Hit => self.cache_hit,
            CacheOutcome::Miss => self.cache_miss,
        });
    }
}

impl FeedMetrics {
    /// Defines every metric.
    ///
    /// # Errors
    /// The host refused to define one.
    pub fn define(host: &impl Host) -> Result<Self, HostError> {
        let counter = |name: &str| host.define_metric(MetricKind::Counter, name);
        let gauge = |name: &str| host.define_metric(MetricKind::Gauge, name);
        Ok(Self {
            connected: gauge("writ.feed.connected")?,
            connects: counter("writ.feed.connects")?,
            closed: counter("writ.feed.closed")?,
            snapshots: counter("writ.feed.snapshots")?,
            deltas: counter("writ.feed.deltas")?,
            nacks: counter("writ.feed.nacks")?,
            as_of: gauge("writ.feed.as_of")?,
            waiting: gauge("writ.requests.waiting")?,
            dropped: counter("writ.report.dropped")?,
            leases: counter("writ.leases.granted")?,
            leases_refused: counter("writ.leases.refused")?,
            masked: counter("writ.responses.masked")?,
        })
    }
}

fn increment_code(host: &impl Host, counters: &[(DenialCode, MetricId)], code: DenialCode) {
    if let Some((_, id)) = counters.iter().find(|(known, _)| *known == code) {
        host.increment(*id);
    }
}
