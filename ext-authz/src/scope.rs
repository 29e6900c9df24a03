//! What a data plane is entitled to see: the hosts of its audiences.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use verdict::{Snapshot, SnapshotError, document::SnapshotDocument};

/// Which hosts a data plane sees. All others are as unknown to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every host.
    All,
    /// Hosts of these audiences.
    Audiences(Arc<BTreeSet<String>>),
}

impl Scope {
    /// The part of `document` that is in this scope, at the same version.
    #[must_use]
    pub fn part<'d>(&self, document: &'d SnapshotDocument) -> Cow<'d, SnapshotDocument> {
        let Self::Audiences(audiences) = self else {
            return Cow::Borrowed(document);
        };
        // Taken apart without `..`: whoever adds a member has to say whose it is.
        let SnapshotDocument {
            format,
            requires,
            version,
            issued_at,
            not_after,
            issuer,
            leeway,
            hash_key,
            min_iat,
            keys,
            revocations,
            hosts,
        } = document;
        Cow::Owned(SnapshotDocument {
            format: *format,
            requires: requires.clone(),
            version: *version,
            issued_at: *issued_at,
            not_after: *not_after,
            issuer: issuer.clone(),
            leeway: *leeway,
            hash_key: hash_key.clone(),
            min_iat: *min_iat,
            keys: keys.clone(),
            revocations: revocations.clone(),
            hosts: hosts.iter().filter(|host| audiences.contains(&host.audience)).cloned().collect(),
        })
    }
}

/// The compiled parts of one document, each made when it is first asked for. There are no more than scopes in the
/// configuration.
#[derive(Debug, Default)]
pub(crate) struct ScopedSnapshots(Mutex<BTreeMap<Scope, Arc<Snapshot>>>);

impl ScopedSnapshots {
    /// The part of `document`, always the same one, in `scope`.
    pub(crate) fn find(
        &self,
        scope: &Scope,
        document: &SnapshotDocument,
    ) -> Result<Arc<Snapshot>, SnapshotError> {
        let mut snapshots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = snapshots.get(scope) {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(Snapshot::compile(scope.part(document).into_owned())?);
        snapshots.insert(scope.clone(), Arc::clone(&snapshot));
        Ok(snapshot)
    }
}
