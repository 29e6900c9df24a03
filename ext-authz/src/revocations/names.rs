//! From the store's rows to what verdicts look up.

use std::{collections::BTreeSet, sync::Arc};

use store::Level;
use verdict::{
    UnixTime,
    revocation::{HashKey, Kind, Record},
};

use super::{Change, Revision};

/// Hashes names, and keeps each audience once.
#[derive(Debug)]
pub(super) struct Names {
    key: HashKey,
    audiences: BTreeSet<Arc<str>>,
}

/// Most audiences that are kept. Those of a policy are far fewer; of more, each change has its own copy.
const AUDIENCES: usize = 1024;

impl Names {
    pub(super) fn new(key: HashKey) -> Self {
        Self { key, audiences: BTreeSet::new() }
    }

    /// A row as data planes are told of it.
    pub(super) fn change(&mut self, row: store::Change) -> Change {
        let store::Change { seq: _, level, name, audience, expires_at, is_lifted } = row;
        let hash = self.key.hash(kind(level), &name);
        let what = if is_lifted {
            Revision::Lift(hash)
        } else {
            Revision::Revoke(Record::new(hash, expires_at.map(UnixTime)))
        };
        Change { what, audience: audience.map(|audience| self.audience(audience)) }
    }

    fn audience(&mut self, audience: String) -> Arc<str> {
        if let Some(known) = self.audiences.get(audience.as_str()) {
            return Arc::clone(known);
        }
        let audience: Arc<str> = audience.into();
        if self.audiences.len() < AUDIENCES {
            self.audiences.insert(Arc::clone(&audience));
        }
        audience
    }
}

fn kind(level: Level) -> Kind {
    match level {
        Level::Token => Kind::Token,
        Level::Task => Kind::Task,
        Level::Agent => Kind::Agent,
        Level::Subject => Kind::Subject,
        Level::Client => Kind::Client,
        Level::Key => Kind::Key,
    }
}
