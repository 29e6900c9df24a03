//! The snapshot document.

use std::time::Duration;

use policy::Policy;
use verdict::{
    UnixTime,
    document::{FORMAT, SnapshotDocument, Version},
};

use super::HashKeyFile;
use crate::{config::Config, keys::KeyRing};

/// What a snapshot is made of. Clients, ceilings and hashes of secrets are no part of it.
#[derive(Clone, Copy)]
pub struct Publication<'p> {
    /// Issuer and leeway.
    pub config: &'p Config,
    /// Hosts.
    pub policy: &'p Policy,
    /// Keys that verify.
    pub keys: &'p KeyRing,
    /// Key of revocation hashes.
    pub hash_key: &'p HashKeyFile,
}

/// The document as of `now`, at a policy `generation`. `valid_for` is how long a static snapshot may be used; the server's own has no end.
#[must_use]
pub fn document(
    publication: &Publication<'_>,
    generation: u64,
    now: UnixTime,
    valid_for: Option<Duration>,
) -> SnapshotDocument {
    let Publication { config, policy, keys, hash_key } = publication;
    SnapshotDocument {
        format: FORMAT,
        requires: Vec::new(),
        version: Version { epoch: 0, generation, revocation: 0 },
        issued_at: now.0,
        not_after: valid_for.map(|duration| now.plus(duration.as_secs()).0),
        issuer: config.issuer.clone(),
        leeway: config.leeway.as_secs(),
        hash_key: hash_key.wire_form().to_owned(),
        min_iat: 0,
        keys: keys.public().map(crate::keys::PublicKey::to_document).collect(),
        revocations: Vec::new(),
        hosts: policy.hosts().to_vec(),
    }
}
