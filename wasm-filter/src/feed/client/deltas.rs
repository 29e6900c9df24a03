//! What was revoked and lifted since.

use verdict::{
    Freshness, Snapshot, UnixTime,
    document::Version,
    revocation::{Full, Hash, NotARecord, Record, Revocations},
};

use super::{
    Client, excerpt, seconds,
    snapshots::{Behind, Refusal, Whole, failed},
};
use crate::{
    feed::{digest::Held, messages::Delta, shared::Shared},
    host::FeedHost,
};

impl<H: FeedHost + Clone> Client<H> {
    pub(super) fn on_delta(&mut self, shared: &Shared, delta: &Delta<'_>, now: u64) {
        let applied = self.apply_delta(shared, delta, now);
        self.conclude(shared, delta.version, applied, now);
    }

    /// Revises what is held, or what is behind. Whether it is in force then.
    fn apply_delta(&mut self, shared: &Shared, delta: &Delta<'_>, now: u64) -> Result<bool, Refusal> {
        let &Delta { version, previous, digest, requires, as_of_ms, revoked: _, lifted: _ } = delta;
        if let Some(feature) = requires {
            let reason = format!("requires `{}`, which this version does not have", excerpt(feature));
            return Err(Refusal { reason, resync: false });
        }
        let follows =
            Version { revocation: version.revocation, ..previous } == version && version >= previous;
        let (from, to) = (Held { version: previous, digest }, Held { version, digest });
        let base = match &self.behind {
            Some(Behind { whole, .. }) => (whole.held == from).then(|| whole.snapshot.clone()),
            None => (shared.held() == Some(from)).then(|| self.plugin.snapshot()).flatten(),
        };
        let Some(base) = base.filter(|_| follows) else {
            return Err(Refusal { reason: "does not follow what is held".to_owned(), resync: true });
        };
        let oldest = seconds(now).min(shared.as_of().get());
        let Revision { snapshot, news } = revise(&base, delta, oldest)?;

        if let Some(Behind { floor, since, .. }) = self.behind.take() {
            let whole = Whole { held: to, as_of_ms, snapshot };
            if version.lacks(&floor) {
                self.behind = Some(Behind { whole, floor, since });
                return Ok(false);
            }
            return self.put_in_force(shared, whole, now).map(|()| true);
        }
        self.floor.raise(&self.host, version).map_err(failed)?;
        shared.advance(to);
        let as_of = self.refresh(shared, as_of_ms, now);
        self.plugin.install(&self.host, snapshot, Freshness::AsOf(as_of));
        self.plugin.doom(seconds(now), Some(&news));
        self.host.increment(shared.metrics().deltas);
        self.host.record(shared.metrics().as_of, as_of.0);
        Ok(true)
    }
}

/// A snapshot after a delta.
struct Revision {
    snapshot: Snapshot,
    /// What the delta revokes, apart.
    news: Revocations,
}

/// What a delta makes of a snapshot. Where memory is full, what has expired by `now` makes room; nothing else does.
fn revise(base: &Snapshot, delta: &Delta<'_>, now: UnixTime) -> Result<Revision, Refusal> {
    let malformed = |error: NotARecord| Refusal { reason: error.to_string(), resync: true };
    let mut revocations = base.revocations().clone();
    let (lifted, rest) = delta.lifted.as_chunks();
    if !rest.is_empty() {
        return Err(malformed(NotARecord));
    }
    // What is named twice stays revoked.
    lifted.iter().for_each(|hash: &Hash| revocations.lift(hash));
    let mut news = Revocations::default();
    for record in Record::read_all(delta.revoked).map_err(malformed)? {
        let added = revocations.revoke(record).or_else(|Full| {
            revocations.expire(now);
            revocations.revoke(record)
        });
        added
            .and_then(|()| news.revoke(record))
            .map_err(|full| Refusal { reason: full.to_string(), resync: true })?;
    }
    Ok(Revision { snapshot: base.revised(delta.version.revocation, revocations), news })
}
