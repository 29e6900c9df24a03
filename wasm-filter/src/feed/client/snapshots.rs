//! What comes down: snapshots and heartbeats.

use verdict::{Freshness, Snapshot, UnixTime, document::Version};

use super::{Client, excerpt, millis};
use crate::{
    feed::{
        assembly::Complete,
        digest::Held,
        messages::{self, Heartbeat, Piece},
        shared::Shared,
    },
    host::{FeedHost, Level},
};

/// Why a snapshot is refused.
struct Refusal {
    reason: String,
    /// Whether another stream, perhaps to another replica, may do better.
    resync: bool,
}

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
            Some(complete) => self.apply(shared, complete, now).map(|()| true),
            None => Ok(false),
        });
        match applied {
            Ok(false) => {}
            Ok(true) => {
                self.send(shared, &messages::ack(version), now);
                self.settle(shared, now);
            }
            Err(refusal) => self.nack(shared, version, &refusal, now),
        }
    }

    /// Puts a whole snapshot in force, unless it is the one in force.
    fn apply(&mut self, shared: &Shared, complete: Complete, now: u64) -> Result<(), Refusal> {
        let Complete { held: complete, as_of_ms, document } = complete;
        let version = complete.version;
        let refuse = |reason: String| Refusal { reason, resync: false };
        let failed = |error| Refusal { reason: format!("{error}"), resync: true };
        // What was held is told apart from what another worker held only for the reason's sake.
        let held = shared.held().map(|held| held.version).unwrap_or_default();
        let floor = self.floor.read(&self.host).map_err(failed)?;
        if version < held.max(floor) {
            let held = held.max(floor);
            let reason = format!(
                "older than {}.{}.{}, which this Envoy has held",
                held.epoch, held.generation, held.revocation
            );
            return Err(Refusal { reason, resync: true });
        }
        if shared.held() == Some(complete) {
            let as_of = self.refresh(shared, as_of_ms, now);
            self.plugin.refresh(as_of);
            return Ok(());
        }
        let snapshot = Snapshot::from_json(&document).map_err(|error| refuse(error.to_string()))?;
        drop(document);
        if snapshot.version() != version {
            return Err(refuse("its document is of another version".to_owned()));
        }
        self.floor.raise(&self.host, version).map_err(failed)?;
        shared.hold(complete);
        let as_of = self.refresh(shared, as_of_ms, now);
        self.plugin.install(&self.host, snapshot, Freshness::AsOf(as_of));
        self.host.increment(shared.metrics().snapshots);
        self.host.record(shared.metrics().as_of, as_of.0);
        Ok(())
    }

    fn nack(&mut self, shared: &Shared, version: Version, refusal: &Refusal, now: u64) {
        let Version { epoch, generation, revocation } = version;
        let reason = excerpt(refusal.reason.as_bytes());
        self.host.increment(shared.metrics().nacks);
        self.host.log(
            Level::Error,
            &format!("writ: feed: refused snapshot {epoch}.{generation}.{revocation}: {reason}"),
        );
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
    fn refresh(&mut self, shared: &Shared, as_of_ms: u64, now: u64) -> UnixTime {
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
