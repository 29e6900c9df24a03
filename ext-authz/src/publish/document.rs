//! The snapshot document.

use std::time::Duration;

use policy::Policy;
use verdict::{
    UnixTime,
    document::{FORMAT, SnapshotDocument, Version, required_features},
};

use crate::{config::Config, keys::KeySet};

/// What a snapshot is made of. Clients, ceilings and hashes of secrets are no part of it.
#[derive(Clone, Copy)]
pub struct Publication<'p> {
    /// Issuer and leeway.
    pub config: &'p Config,
    /// Hosts.
    pub policy: &'p Policy,
    /// Keys that verify.
    pub keys: &'p KeySet,
    /// Key of revocation hashes.
    pub hash_key: &'p str,
}

/// Which of a policy's snapshots it is. The same for all replicas, so that they make the same document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Of the store.
    pub epoch: u64,
    /// Of the policy.
    pub generation: u64,
    /// Tokens issued before this instant, Unix seconds, are refused.
    pub min_iat: u64,
    /// When it was published.
    pub issued_at: UnixTime,
}

impl Edition {
    /// A static snapshot: these have generations of their own, which the clock keeps in order.
    #[must_use]
    pub fn exported(now: UnixTime) -> Self {
        Self { epoch: 0, generation: now.0, min_iat: 0, issued_at: now }
    }
}

/// The document of `edition`. `valid_for` is how long a static snapshot may be used; the server's own has no end.
#[must_use]
pub fn document(
    publication: &Publication<'_>,
    edition: Edition,
    valid_for: Option<Duration>,
) -> SnapshotDocument {
    let Publication { config, policy, keys, hash_key } = publication;
    let Edition { epoch, generation, min_iat, issued_at } = edition;
    SnapshotDocument {
        format: FORMAT,
        requires: required_features(policy.hosts()),
        version: Version { epoch, generation, revocation: 0 },
        issued_at: issued_at.0,
        not_after: valid_for.map(|duration| issued_at.plus(duration.as_secs()).0),
        issuer: config.issuer.clone(),
        leeway: config.leeway.as_secs(),
        hash_key: (*hash_key).to_owned(),
        min_iat,
        keys: keys.published().map(crate::keys::PublicKey::to_document).collect(),
        revocations: Vec::new(),
        hosts: policy.hosts().to_vec(),
    }
}
