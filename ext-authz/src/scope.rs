//! What a data plane is entitled to see: the hosts of its audiences.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use verdict::{
    Snapshot, SnapshotError,
    document::{FEATURES, HostDocument, SnapshotDocument, required_by},
};

use crate::revocations::Revoked;

/// Which hosts a data plane sees. All others are as unknown to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every host.
    All,
    /// Hosts of these audiences.
    Audiences(Arc<BTreeSet<String>>),
}

impl Scope {
    /// Whether what concerns `audience`, or every one, is for it to know.
    #[must_use]
    pub fn sees(&self, audience: Option<&str>) -> bool {
        match (self, audience) {
            (Self::All, _) | (_, None) => true,
            (Self::Audiences(audiences), Some(audience)) => audiences.contains(audience),
        }
    }

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
        let hosts: Vec<HostDocument> =
            hosts.iter().filter(|host| audiences.contains(&host.audience)).cloned().collect();
        // What its own hosts do not need is no reason for a data plane to refuse them.
        let needed = required_by(&hosts);
        let is_needed = |name: &&String| !FEATURES.contains(&name.as_str()) || needed.contains(name);
        Cow::Owned(SnapshotDocument {
            format: *format,
            requires: requires.iter().filter(is_needed).cloned().collect(),
            version: *version,
            issued_at: *issued_at,
            not_after: *not_after,
            issuer: issuer.clone(),
            leeway: *leeway,
            hash_key: hash_key.clone(),
            min_iat: *min_iat,
            keys: keys.clone(),
            revocations: revocations.clone(),
            hosts,
        })
    }
}

/// The compiled parts of one document with one set of revocations, each made when it is first asked for. There are no
/// more than scopes in the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopedSnapshots {
    /// Without revocations, which come and go more often.
    compiled: Snapshots,
    revised: Snapshots,
}

type Snapshots = Arc<Mutex<BTreeMap<Scope, Arc<Snapshot>>>>;

impl ScopedSnapshots {
    /// The part of `document`, always the same one, in `scope`; and of what is `revoked`, always the same, too.
    pub(crate) fn find(
        &self,
        scope: &Scope,
        document: &SnapshotDocument,
        revoked: &Revoked,
    ) -> Result<Arc<Snapshot>, SnapshotError> {
        find(&self.revised, scope, || {
            let compiled =
                find(&self.compiled, scope, || Snapshot::compile(scope.part(document).into_owned()))?;
            Ok(compiled.revised(revoked.sequence(), revoked.part(scope).clone()))
        })
    }

    /// Those of the same document with other revocations.
    pub(crate) fn to_be_revised(&self) -> Self {
        Self { compiled: Arc::clone(&self.compiled), revised: Snapshots::default() }
    }
}

fn find(
    snapshots: &Snapshots,
    scope: &Scope,
    make: impl FnOnce() -> Result<Snapshot, SnapshotError>,
) -> Result<Arc<Snapshot>, SnapshotError> {
    let mut snapshots = snapshots.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(snapshot) = snapshots.get(scope) {
        return Ok(Arc::clone(snapshot));
    }
    let snapshot = Arc::new(make()?);
    snapshots.insert(scope.clone(), Arc::clone(&snapshot));
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use verdict::document::{BodyDocument, HostDocument};

    use super::*;

    #[test]
    fn a_part_requires_what_its_own_hosts_do() {
        let host = |audience: &str, body: BodyDocument| -> HostDocument {
            let rule = serde_json::json!({"method": "POST", "path": "/", "action": "a:B", "resource": "a://b", "body": body});
            let host = serde_json::json!({"names": [audience], "audience": audience, "rules": [rule]});
            serde_json::from_value(host).expect("a host")
        };
        let hosts = vec![host("reads", BodyDocument::Json), host("forwards", BodyDocument::Opaque)];
        let document: SnapshotDocument = serde_json::from_value(serde_json::json!({
            "format": 1, "requires": ["bodies", "later"], "version": {"epoch": 1, "generation": 1, "revocation": 0},
            "issued_at": 0, "issuer": "i", "leeway": 0, "hash_key": "", "keys": [], "hosts": hosts,
        }))
        .expect("a document");
        let required = |audience: &str| {
            let scope = Scope::Audiences(Arc::new([audience.to_owned()].into()));
            scope.part(&document).requires.clone()
        };
        assert_eq!(
            (required("reads"), required("forwards")),
            (vec!["bodies".into(), "later".into()], vec!["later".to_owned()])
        );
    }
}
