//! What is revoked, by the names under which verdicts look it up.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;
use verdict::{
    UnixTime,
    revocation::{Full, Hash, Record, Revocations},
};

use crate::scope::Scope;

/// All that is revoked, and the part of it that each scope may know. A clone shares its contents.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    /// Of the store that it was read from; `None`: of none.
    epoch: Option<u64>,
    sequence: u64,
    reading: u64,
    all: Revocations,
    /// For every scope that a data plane has, but the one that is everything.
    parts: BTreeMap<Scope, Revocations>,
}

/// What was revoked and lifted from one sequence to another, in order.
#[derive(Debug)]
pub struct Tick {
    /// See [`Revoked::reading`].
    pub reading: u64,
    /// What it follows.
    pub previous: u64,
    /// What it leads to.
    pub sequence: u64,
    /// When this process learned of the first of it.
    pub known_at: Instant,
    /// In the order in which it happened.
    pub changes: Vec<Change>,
}

/// One revocation, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub what: Revision,
    /// The one audience that it can matter to; `None`: all.
    pub audience: Option<Arc<str>>,
}

/// As a data plane is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// From here on it is revoked.
    Revoke(Record),
    /// From here on it is not.
    Lift(Hash),
}

impl Revoked {
    /// Nothing yet, in the epoch of a store, for data planes of these scopes.
    #[must_use]
    pub fn nothing(epoch: u64, reading: u64, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let parts = scopes.into_iter().filter(|scope| *scope != Scope::All);
        Self {
            epoch: Some(epoch),
            reading,
            parts: parts.map(|scope| (scope, Revocations::default())).collect(),
            ..Self::default()
        }
    }

    /// Of the store that it was read from; `None`: of none.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// The last revocation of the store that is part of it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Counts the readings from the beginning: what follows one of them does not follow from another.
    #[must_use]
    pub fn reading(&self) -> u64 {
        self.reading
    }

    /// Everything.
    #[must_use]
    pub fn all(&self) -> &Revocations {
        &self.all
    }

    /// What a data plane of this scope may know. Everything, where no data plane was said to have it: more than it may
    /// know keeps nothing open.
    #[must_use]
    pub fn part(&self, scope: &Scope) -> &Revocations {
        self.parts.get(scope).unwrap_or(&self.all)
    }

    /// Takes in what came next.
    ///
    /// # Errors
    /// There is no room; this must not be used any more.
    pub fn follow(&mut self, tick: &Tick) -> Result<(), Full> {
        self.add(&tick.changes)?;
        self.sequence = tick.sequence;
        Ok(())
    }

    /// Takes in what was revoked up to `sequence`, in any order.
    ///
    /// # Errors
    /// As [`Revoked::follow`].
    pub fn begin(&mut self, sequence: u64, changes: &[Change]) -> Result<(), Full> {
        self.add(changes)?;
        self.sequence = sequence;
        Ok(())
    }

    fn add(&mut self, changes: &[Change]) -> Result<(), Full> {
        for Change { what, audience } in changes {
            let parts = self.parts.iter_mut().filter(|(scope, _)| scope.sees(audience.as_deref()));
            for set in parts.map(|(_, part)| part).chain([&mut self.all]) {
                match what {
                    Revision::Revoke(record) => set.revoke(*record)?,
                    Revision::Lift(hash) => set.lift(hash),
                }
            }
        }
        Ok(())
    }

    /// Forgets what can matter to no token any more. Whether there was anything.
    pub fn expire(&mut self, now: UnixTime) -> bool {
        let before = self.all.len();
        for set in self.parts.values_mut().chain([&mut self.all]) {
            set.expire(now);
        }
        self.all.len() < before
    }
}

impl Revision {
    /// What it is about.
    #[must_use]
    pub fn hash(&self) -> &Hash {
        match self {
            Self::Revoke(record) => &record.hash,
            Self::Lift(hash) => hash,
        }
    }
}
