//! All that is revoked, in pieces, for streams that begin anew.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use proto::v1::CHUNK;
use verdict::revocation::{Record, Revocations};

use super::{base::cut, log::Log, publication::Publication};
use crate::{
    revocations::{Change, Revision},
    scope::Scope,
};

/// Bytes of records that may stand behind those that were put together once. With more of them all are put together
/// again, so that a stream that comes costs others next to nothing.
const BEHIND: usize = 64 * 1024;

/// Records of one scope as they were once, and what was revoked since.
#[derive(Debug, Default)]
pub(super) struct Records(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    reading: u64,
    /// What `pieces` hold, and with `behind` what they hold together.
    made_at: u64,
    sequence: u64,
    pieces: Vec<Bytes>,
    behind: Bytes,
}

impl Records {
    /// Everything that is revoked in `newest`. Records may come twice.
    pub(super) fn pieces(&self, log: &Log, scope: &Scope, newest: &Publication) -> Vec<Bytes> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.as_mut().is_some_and(|made| made.continue_to(log, scope, newest)) {
            *made = Some(Made::new(newest));
        }
        made.as_ref().map(Made::all).unwrap_or_default()
    }
}

impl Made {
    fn new(newest: &Publication) -> Self {
        let sequence = newest.version.revocation;
        Self {
            reading: newest.reading,
            made_at: sequence,
            sequence,
            pieces: pieces(&newest.revoked),
            behind: Bytes::new(),
        }
    }

    fn all(&self) -> Vec<Bytes> {
        let behind = (!self.behind.is_empty()).then_some(&self.behind);
        self.pieces.iter().chain(behind).cloned().collect()
    }

    /// Puts behind it what was revoked since; whether that was all there is to do.
    fn continue_to(&mut self, log: &Log, scope: &Scope, newest: &Publication) -> bool {
        let sequence = newest.version.revocation;
        if (self.reading, self.sequence) == (newest.reading, sequence) {
            return true;
        }
        let Some(entries) = log.between(newest.reading, self.made_at, sequence) else { return false };
        if self.reading != newest.reading || self.made_at > sequence {
            return false;
        }
        let mut behind = Vec::new();
        let changes = entries.iter().flat_map(|entry| &entry.tick.changes);
        for Change { what, .. } in changes.filter(|change| scope.sees(change.audience.as_deref())) {
            match what {
                Revision::Revoke(record) if behind.len() < BEHIND => behind.extend(record.to_bytes()),
                // A list of what is revoked cannot say that something is not any more.
                _ => return false,
            }
        }
        (self.sequence, self.behind) = (sequence, behind.into());
        true
    }
}

/// Whole records in each piece.
fn pieces(revoked: &Revocations) -> Vec<Bytes> {
    let mut text = Vec::with_capacity(revoked.len() * Record::BYTES);
    for record in revoked.iter() {
        text.extend(record.to_bytes());
    }
    cut(&text.into(), CHUNK / Record::BYTES * Record::BYTES).collect()
}
