//! The compiled snapshot: what a verdict reads, immutable and swapped whole.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

use crate::{
    UnixTime,
    document::{FEATURES, FORMAT, KeyDocument, SnapshotDocument, Version},
    ed25519::VerifyingKey,
    request::host,
    revocation::{self, HashKey, Record, Revocations},
    route::{Host, Hosts},
};

/// Largest leeway, seconds.
const MAX_LEEWAY: u64 = 5;

/// Policy, keys and revocations at one version. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    version: Version,
    revocations: Revocations,
    /// What changes less often than revocations do.
    base: Arc<Base>,
}

#[derive(Debug)]
struct Base {
    issuer: String,
    leeway: u64,
    not_after: Option<UnixTime>,
    min_iat: UnixTime,
    hash_key: HashKey,
    keys: BTreeMap<Arc<str>, VerifyingKey>,
    hosts: Hosts,
}

/// Why a document is no snapshot. Nothing of it is applied.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Not JSON of the wire form.
    #[error("snapshot: {0}")]
    Json(serde_json::Error),
    /// Written in a format this version does not read.
    #[error("snapshot: format {0} is not known to this version, which reads format {FORMAT}")]
    UnknownFormat(u32),
    /// Needs a feature this version does not have.
    #[error("snapshot: requires `{0}`, which this version does not have")]
    UnknownFeature(String),
    /// A member is wrong.
    #[error("snapshot: {place}: {reason}")]
    Invalid {
        /// Where, as in `keys[0].x`.
        place: String,
        /// What is wrong.
        reason: String,
    },
}

fn invalid(place: impl Into<String>, reason: impl Into<String>) -> SnapshotError {
    SnapshotError::Invalid { place: place.into(), reason: reason.into() }
}

impl Snapshot {
    /// Reads and compiles the wire form.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn from_json(json: &[u8]) -> Result<Self, SnapshotError> {
        // The format first: a later one may have members that this version would call unknown.
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }

        let Format { format } = serde_json::from_slice(json).map_err(SnapshotError::Json)?;
        if format != FORMAT {
            return Err(SnapshotError::UnknownFormat(format));
        }
        Self::compile(serde_json::from_slice(json).map_err(SnapshotError::Json)?)
    }

    /// Compiles a document.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn compile(document: SnapshotDocument) -> Result<Self, SnapshotError> {
        let SnapshotDocument {
            format,
            requires,
            version,
            issued_at: _,
            not_after,
            issuer,
            leeway,
            hash_key,
            min_iat,
            keys,
            revocations,
            hosts,
        } = document;
        if format != FORMAT {
            return Err(SnapshotError::UnknownFormat(format));
        }
        if let Some(feature) = requires.into_iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
            return Err(SnapshotError::UnknownFeature(feature));
        }
        if leeway > MAX_LEEWAY {
            return Err(invalid("leeway", format!("{leeway} s is over the largest, {MAX_LEEWAY} s")));
        }
        if !crate::token::claims::is_name(&issuer) {
            return Err(invalid("issuer", "1 to 255 visible ASCII characters"));
        }
        let base = Base {
            issuer,
            leeway,
            not_after: not_after.map(UnixTime),
            min_iat: UnixTime(min_iat),
            hash_key: HashKey::parse(&hash_key).map_err(|error| invalid("hash_key", error.to_string()))?,
            keys: compile_keys(&keys)?,
            hosts: Hosts::compile(&hosts).map_err(|error| match error.split_once(": ") {
                Some((place, reason)) => invalid(place, reason),
                None => invalid("hosts", error),
            })?,
        };
        Ok(Self { version, revocations: compile_revocations(&revocations)?, base: Arc::new(base) })
    }

    /// The same policy and keys at a later revocation sequence, with what is revoked then. They are shared, not
    /// compiled again.
    #[must_use]
    pub fn revised(&self, revocation: u64, revocations: Revocations) -> Self {
        let version = Version { revocation, ..self.version };
        Self { version, revocations, base: Arc::clone(&self.base) }
    }

    /// What this is a version of.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The issuer of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.base.issuer
    }

    /// Whether proofs made under `earlier` are proofs under this snapshot, too. A key that has left might come back
    /// as another one, so that it takes them all along.
    #[must_use]
    pub fn keeps_proofs_of(&self, earlier: &Self) -> bool {
        let mut keys = earlier.base.keys.iter();
        if Arc::ptr_eq(&self.base, &earlier.base) {
            return true;
        }
        self.base.issuer == earlier.base.issuer
            && self.base.hash_key == earlier.base.hash_key
            && keys
                .all(|(kid, key)| self.base.keys.get(kid).is_some_and(|own| own.as_bytes() == key.as_bytes()))
    }

    /// The name under which the host of this `:authority` is listed, if it is.
    #[must_use]
    pub fn listed_host(&self, authority: &[u8]) -> Option<&str> {
        self.base.hosts.listed(&host::canonical(authority)?)
    }

    /// The routes under a host name in canonical form.
    pub(crate) fn host(&self, name: &str) -> Option<&Host> {
        self.base.hosts.get(name)
    }

    pub(crate) fn key(&self, kid: &[u8]) -> Option<(&Arc<str>, &VerifyingKey)> {
        let kid = core::str::from_utf8(kid).ok()?;
        self.base.keys.get_key_value(kid)
    }

    pub(crate) fn leeway(&self) -> u64 {
        self.base.leeway
    }

    pub(crate) fn not_after(&self) -> Option<UnixTime> {
        self.base.not_after
    }

    pub(crate) fn min_iat(&self) -> UnixTime {
        self.base.min_iat
    }

    /// The key of its revocations' hashes.
    #[must_use]
    pub fn hash_key(&self) -> &HashKey {
        &self.base.hash_key
    }

    /// What is revoked.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }
}

fn compile_revocations(texts: &[String]) -> Result<Revocations, SnapshotError> {
    let mut revocations = Revocations::default();
    for (index, text) in texts.iter().enumerate() {
        let place = || format!("revocations[{index}]");
        let hash = revocation::parse_hash(text).map_err(|error| invalid(place(), error.to_string()))?;
        // Documents do not say until when: the next one leaves out what is of no use any more.
        revocations.revoke(Record::new(hash, None)).map_err(|error| invalid(place(), error.to_string()))?;
    }
    Ok(revocations)
}

fn compile_keys(documents: &[KeyDocument]) -> Result<BTreeMap<Arc<str>, VerifyingKey>, SnapshotError> {
    let mut keys = BTreeMap::new();
    for (index, KeyDocument { kid, alg, x }) in documents.iter().enumerate() {
        let place = |member: &str| format!("keys[{index}].{member}");
        if !crate::token::claims::is_name(kid) {
            return Err(invalid(place("kid"), "1 to 255 visible ASCII characters"));
        }
        if alg != "EdDSA" {
            return Err(invalid(place("alg"), format!("`{alg}` is not `EdDSA`")));
        }
        let bytes: Vec<u8> =
            URL_SAFE_NO_PAD.decode(x).map_err(|_| invalid(place("x"), "not unpadded base64url"))?;
        let bytes = bytes.try_into().map_err(|_| invalid(place("x"), "not 32 bytes"))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|error| invalid(place("x"), error.to_string()))?;
        if keys.insert(Arc::from(kid.as_str()), key).is_some() {
            return Err(invalid(place("kid"), format!("`{kid}` is listed twice")));
        }
    }
    Ok(keys)
}
