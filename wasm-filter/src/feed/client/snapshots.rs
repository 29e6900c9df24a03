//! What comes down: snapshots and heartbeats.

use verdict::{Freshness, Snapshot, UnixTime, document::Version, revocation::Revocations};

use super::{Client, excerpt, millis, seconds};
use crate::{
    feed::{
        assembly::Complete,
        digest::Held,
        messages::{self, Heartbeat, Piece},
        shared::Shared,
    },
    host::{FeedHost, HostError, Level},
};

/// Why a snapshot or a delta is refused.
pub(super) struct Refusal {
    pub(super) reason: String,
    /// Whether another stream, perhaps to another replica, may do better.
    pub(super) resync: bool,
}

/// A snapshot that could be put in force.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) held: Held,
    pub(super) as_of_ms: u64,
    pub(super) snapshot: Snapshot,
}

/// A snapshot of the newest policy, or of a newer one, without the newest revocations. Senders encode a snapshot once for
/// many, and let deltas follow; and a replica may be ahead of another in one and behind it in the other.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) whole: Whole,
    /// What it has to reach: what this Envoy had held when it came. What it has held since may be ahead of any delta.
    pub(super) floor: Version,
    /// When it came, Unix milliseconds.
    pub(super) since: u64,
}

/// How long a snapshot may be behind, milliseconds: replicas of a server differ by less.
const CATCH_UP: u64 = 1_000;

impl<H: FeedHost + Clone> Client<H> {
    pub(super) fn on_snapshot(&mut self, shared: &Shared, piece: &Piece<'_>, now: u64) {
        let version = piece.version;
        if self.refused == Some(version) && piece.chunk != 0 {
            return;
        }
        self.refused = None;
        let complete = match piece.requires {
            None => {
                self.assembly.add(piece).map_err(|error| Refusal { reason: error.to_string(), resync: true })
            }
            Some(feature) => {
                self.assembly.clear();
                self.refused = Some(version);
                let reason = format!("requires `{}`, which this version does not have", excerpt(feature));
                Err(Refusal { reason, resync: false })
            }
        };
        let applied = complete.and_then(|complete| match complete {
            Some(complete) => self.apply(shared, complete, now),
            None => Ok(false),
        });
        self.conclude(shared, version, applied, now);
    }

    /// Says whether `version` is in force, if that is known.
    pub(super) fn conclude(
        &mut self,
        shared: &Shared,
        version: Version,
        applied: Result<bool, Refusal>,
        now: u64,
    ) {
        match applied {
            Ok(false) => {}
            Ok(true) => {
                self.send(shared, &messages::ack(version), now);
                self.settle(shared, now);
            }
            Err(refusal) => self.nack(shared, version, &refusal, now),
        }
    }

    /// Puts a whole snapshot in force, unless it is the one in force or has to catch up first. Whether it is in force.
    fn apply(&mut self, shared: &Shared, complete: Complete, now: u64) -> Result<bool, Refusal> {
        let Complete { held: complete, as_of_ms, document, revocations } = complete;
        let version = complete.version;
        let refuse = |reason: String| Refusal { reason, resync: false };
        self.behind = None;
        // What was held is told apart from what another worker held only for the reason's sake.
        let held = shared.held().map(|held| held.version).unwrap_or_default();
        let floor = self.floor.read(&self.host).map_err(failed)?.join(held);
        if (version.epoch, version.generation) < (floor.epoch, floor.generation) {
            return Err(older(floor));
        }
        if shared.held() == Some(complete) {
            let as_of = self.refresh(shared, as_of_ms, now);
            self.plugin.refresh(as_of);
            return Ok(true);
        }
        let snapshot = Snapshot::from_json(&document).map_err(|error| refuse(error.to_string()))?;
        drop(document);
        // Without records the text says all; with them it may have been written before the last of them came.
        let own = snapshot.version();
        if own > version || (Version { revocation: version.revocation, ..own }) != version {
            return Err(refuse("its document is of another version".to_owned()));
        }
        let snapshot = with_records(&snapshot, version.revocation, revocations)?;
        let complete = Whole { held: complete, as_of_ms, snapshot };
        if version.lacks(&floor) {
            self.behind = Some(Behind { whole: complete, floor, since: millis(now) });
            return Ok(false);
        }
        self.put_in_force(shared, complete, now).map(|()| true)
    }

    pub(super) fn put_in_force(&mut self, shared: &Shared, whole: Whole, now: u64) -> Result<(), Refusal> {
        let Whole { held, as_of_ms, snapshot } = whole;
        self.floor.raise(&self.host, held.version).map_err(failed)?;
        shared.hold(held);
        let as_of = self.refresh(shared, as_of_ms, now);
        self.plugin.install(&self.host, snapshot, Freshness::AsOf(as_of));
        self.plugin.doom(seconds(now), None);
        self.host.increment(shared.metrics().snapshots);
        self.host.record(shared.metrics().as_of, as_of.0);
        Ok(())
    }

    /// Refuses a snapshot that stays behind: another replica may have a newer one.
    pub(super) fn catch_up(&mut self, shared: &Shared, now: u64) {
        if let Some(Behind { whole, floor, since }) = &self.behind
            && millis(now).abs_diff(*since) >= CATCH_UP
        {
            let (version, refusal) = (whole.held.version, older(*floor));
            self.nack(shared, version, &refusal, now);
        }
    }

    fn nack(&mut self, shared: &Shared, version: Version, refusal: &Refusal, now: u64) {
        let Version { epoch, generation, revocation } = version;
        let reason = excerpt(refusal.reason.as_bytes());
        self.host.increment(shared.metrics().nacks);
        self.host
            .log(Level::Error, &format!("writ: feed: refused {epoch}.{generation}.{revocation}: {reason}"));
        self.send(shared, &messages::nack(version, &reason), now);
        if refusal.resync {
            self.leave(shared, now, 0);
        }
    }

    /// Only who holds exactly the newest document is as fresh as its sender.
    pub(super) fn on_heartbeat(&mut self, shared: &Shared, heartbeat: Heartbeat, now: u64) {
        let Heartbeat { as_of_ms, version, interval_ms, digest } = heartbeat;
        self.link.set_interval(interval_ms);
        let newest = version.map(|version| Held { version, digest });
        if newest.is_some() && shared.held() == newest {
            let as_of = self.refresh(shared, as_of_ms, now);
            self.plugin.refresh(as_of);
            self.host.record(shared.metrics().as_of, as_of.0);
        }
    }

    /// How fresh what is held is, after its sender has said so. Says once that a sender's clock is of no use.
    pub(super) fn refresh(&mut self, shared: &Shared, as_of_ms: u64, now: u64) -> UnixTime {
        let refreshed = shared.as_of().refresh(as_of_ms, millis(now));
        let complained = std::mem::replace(&mut self.ahead, refreshed.is_err());
        if let Err(ahead) = refreshed
            && !complained
        {
            self.host.log(Level::Error, &format!("writ: feed: {ahead}"));
        }
        shared.as_of().get()
    }
}

/// Without a working host nothing is taken.
pub(super) fn failed(error: HostError) -> Refusal {
    Refusal { reason: error.to_string(), resync: true }
}

fn older(floor: Version) -> Refusal {
    let Version { epoch, generation, revocation } = floor;
    let reason = format!("older than {epoch}.{generation}.{revocation}, which this Envoy has held");
    Refusal { reason, resync: true }
}

/// The snapshot at a revocation sequence, with these records beside what its own text says.
fn with_records(snapshot: &Snapshot, revocation: u64, records: Revocations) -> Result<Snapshot, Refusal> {
    let mut revocations = records;
    for record in snapshot.revocations().iter() {
        revocations.revoke(record).map_err(|full| Refusal { reason: full.to_string(), resync: true })?;
    }
    Ok(snapshot.revised(revocation, revocations))
}
