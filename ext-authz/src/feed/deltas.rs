//! Deltas, encoded once for all streams that are equally far.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use proto::v1::{CHUNK, Delta};
use verdict::{
    document::Version,
    revocation::{Hash, Record},
};

use super::{
    down,
    log::{Entry, Log},
    publication::Publication,
    to_wire,
};
use crate::{
    revocations::{Change, Revision},
    scope::Scope,
};

/// Most places that streams come from at one time for which deltas are kept.
const KEPT: usize = 64;

/// Deltas of one scope that lead to its newest publication.
#[derive(Debug, Default)]
pub(super) struct Deltas(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Where all of them lead.
    to: Option<Arc<Publication>>,
    /// By where they come from.
    frames: BTreeMap<u64, Frames>,
}

/// Messages, as the bytes that go out.
pub(super) type Frames = Arc<[Bytes]>;

impl Deltas {
    /// What leads who holds `from` with this digest to `to`, in as few messages as hold it. `None`: nothing does.
    pub(super) fn since(
        &self,
        log: &Log,
        scope: &Scope,
        to: &Arc<Publication>,
        from: Version,
        digest: &[u8],
    ) -> Option<Frames> {
        let sequence = from.revocation;
        if digest != to.base.digest || from != (Version { revocation: sequence, ..to.version }) {
            return None;
        }
        if sequence == to.version.revocation {
            return Some(Frames::default());
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.to.as_ref().is_some_and(|known| Arc::ptr_eq(known, to)) {
            *kept = Kept { to: Some(Arc::clone(to)), frames: BTreeMap::new() };
        }
        if let Some(frames) = kept.frames.get(&sequence) {
            return Some(Arc::clone(frames));
        }
        let entries = log.between(to.reading, sequence, to.version.revocation)?;
        let frames = encode(scope, to, from, &entries);
        if kept.frames.len() < KEPT {
            kept.frames.insert(sequence, Arc::clone(&frames));
        }
        Some(frames)
    }
}

/// Messages from `from` over all of `entries` to `to`, each as long as a piece of a snapshot at most.
fn encode(scope: &Scope, to: &Publication, from: Version, entries: &[Entry]) -> Frames {
    let mut frames = Vec::new();
    let mut previous = from;
    let mut rest = entries;
    while !rest.is_empty() {
        let mut sum = Sum::default();
        let mut count = 0;
        for Entry { tick, .. } in rest {
            if count > 0 && sum.most_bytes() + tick.changes.len() * Record::BYTES > CHUNK {
                break;
            }
            sum.add(scope, &tick.changes);
            count += 1;
        }
        let (taken, left) = rest.split_at(count);
        let Some(last) = taken.last() else { break };
        let version = Version { revocation: last.tick.sequence, ..to.version };
        // Only what is complete is as fresh as the whole.
        let as_of = if left.is_empty() { to.as_of } else { last.as_of };
        let (revoked, lifted) = sum.lists();
        frames.push(down::delta(Delta {
            version: Some(to_wire(version)),
            previous: Some(to_wire(previous)),
            digest: to.base.digest.to_vec(),
            requires: to.base.requires.clone(),
            as_of_ms: as_of.0,
            revoked,
            lifted,
        }));
        previous = version;
        rest = left;
    }
    frames.into()
}

/// What comes of many changes: of each hash only what happened to it last.
#[derive(Default)]
struct Sum {
    /// In order, as long as nothing was lifted.
    revoked: Vec<Record>,
    /// From then on.
    last: Option<HashMap<Hash, Revision>>,
}

impl Sum {
    fn add(&mut self, scope: &Scope, changes: &[Change]) {
        for Change { what, audience } in changes {
            if scope.sees(audience.as_deref()) {
                self.put(*what);
            }
        }
    }

    fn put(&mut self, what: Revision) {
        match (&mut self.last, what) {
            (None, Revision::Revoke(record)) => self.revoked.push(record),
            (None, Revision::Lift(_)) => {
                let earlier = self.revoked.drain(..).map(Revision::Revoke);
                self.last = Some(earlier.map(|what| (*what.hash(), what)).collect());
                self.put(what);
            }
            (Some(last), what) => drop(last.insert(*what.hash(), what)),
        }
    }

    /// Not less than it takes on the wire.
    fn most_bytes(&self) -> usize {
        (self.revoked.len() + self.last.as_ref().map_or(0, HashMap::len)) * Record::BYTES
    }

    fn lists(self) -> (Vec<u8>, Vec<u8>) {
        let mut revoked: Vec<u8> = self.revoked.into_iter().flat_map(Record::to_bytes).collect();
        let mut lifted = Vec::new();
        for what in self.last.into_iter().flat_map(HashMap::into_values) {
            match what {
                Revision::Revoke(record) => revoked.extend(record.to_bytes()),
                Revision::Lift(hash) => lifted.extend(hash),
            }
        }
        (revoked, lifted)
    }
}
