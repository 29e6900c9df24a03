//! The snapshot that the library surface judges by: the corpus policy, compiled by the policy crate.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use verdict::{
    document::{FORMAT, HostDocument, KeyDocument, SnapshotDocument, Version, required_by},
    revocation::{HashKey, Kind},
};

use super::case::Revocation;
use crate::{
    error::{Result, unexpected},
    forge::{Key, Values},
};

/// The issuer of the corpus.
pub const ISSUER: &str = "https://issuer.writ.test";
const HASH_KEY: [u8; 16] = [7; 16];

/// How a case's snapshot differs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotChange {
    /// What no longer counts.
    #[serde(default)]
    pub revoke: Vec<Revocation>,
    /// Tokens issued earlier are refused.
    #[serde(default)]
    pub min_iat: Option<Value>,
    /// From then on the snapshot is too old.
    #[serde(default)]
    pub not_after: Option<Value>,
    /// Whether the issuer's key is left out.
    #[serde(default)]
    pub without_keys: bool,
}

/// The snapshot of `hosts`, as changed.
///
/// # Errors
/// A mistake in the change.
pub fn document(
    hosts: &[HostDocument],
    issuer: &Key,
    change: Option<&SnapshotChange>,
    now: u64,
) -> Result<SnapshotDocument> {
    let values = Values { now, ..Values::default() };
    let key = HashKey::from_bytes(HASH_KEY);
    let empty = SnapshotChange::default();
    let SnapshotChange { revoke, min_iat, not_after, without_keys } = change.unwrap_or(&empty);
    let instant = |value: &Value| -> Result<u64> {
        values.resolve(value)?.as_u64().ok_or_else(|| unexpected("an instant is a number or `@now`"))
    };
    let hash = |revocation: &Revocation| {
        let kid = issuer.kid();
        let (kind, name) = match revocation {
            Revocation::Token(jti) => (Kind::Token, jti),
            Revocation::Task(task) => (Kind::Task, task),
            Revocation::Agent(agent) => (Kind::Agent, agent),
            Revocation::Subject(subject) => (Kind::Subject, subject),
            Revocation::Client(client) => (Kind::Client, client),
            Revocation::IssuerKey => (Kind::Key, &kid),
        };
        URL_SAFE_NO_PAD.encode(key.hash(kind, name))
    };
    let issuer_key = KeyDocument { kid: issuer.kid(), alg: "EdDSA".to_owned(), x: issuer.x() };
    Ok(SnapshotDocument {
        format: FORMAT,
        requires: required_by(hosts),
        version: Version { epoch: 1, generation: 1, revocation: 0 },
        issued_at: now,
        not_after: not_after.as_ref().map(instant).transpose()?,
        issuer: ISSUER.to_owned(),
        leeway: 0,
        hash_key: URL_SAFE_NO_PAD.encode(HASH_KEY),
        min_iat: min_iat.as_ref().map(instant).transpose()?.unwrap_or(0),
        keys: if *without_keys { Vec::new() } else { vec![issuer_key] },
        revocations: revoke.iter().map(hash).collect(),
        hosts: hosts.to_vec(),
    })
}
