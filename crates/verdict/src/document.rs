//! The snapshot's wire form: JSON that the server exports or feeds, and that a filter reads.
//!
//! Every object refuses members it does not know: a reader that skipped one could open what the writer closed.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::grant::{object::object_only, strict};

/// The only [`SnapshotDocument::format`] this version reads and writes.
pub const FORMAT: u32 = 1;

/// Hosts with a credential: a reader that does not know of them would forward requests without one.
pub const CREDENTIALS: &str = "credentials";
/// Rules that read bodies: a reader that does not know of them would not look into one.
pub const BODIES: &str = "bodies";

/// What [`SnapshotDocument::requires`] may hold in this version.
pub const FEATURES: &[&str] = &[BODIES, CREDENTIALS];

/// The features that a reader of `hosts` must know.
#[must_use]
pub fn required_by(hosts: &[HostDocument]) -> Vec<String> {
    let reads = |rule: &RuleDocument| matches!(rule.body, BodyDocument::Json | BodyDocument::Form);
    let bodies = hosts.iter().flat_map(|host| &host.rules).any(reads);
    let credentials = hosts.iter().any(|host| host.credential.is_some());
    let needed = [(BODIES, bodies), (CREDENTIALS, credentials)];
    needed.into_iter().filter(|(_, is_needed)| *is_needed).map(|(feature, _)| String::from(feature)).collect()
}

/// Everything a verdict reads, before it is compiled into a [`Snapshot`](crate::Snapshot).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct SnapshotDocument {
    /// Version of this form; see [`FORMAT`].
    pub format: u32,
    /// Features the reader must know to apply this document: some of [`FEATURES`].
    #[serde(default)]
    pub requires: Vec<String>,
    /// What this snapshot is a version of; never goes back.
    pub version: Version,
    /// When it was made, Unix seconds.
    pub issued_at: u64,
    /// For static snapshots: from this instant (Unix seconds) every verdict is `stale_snapshot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
    /// The `iss` every token must carry.
    pub issuer: String,
    /// Tolerated clock difference in seconds, at most 5.
    pub leeway: u64,
    /// Base64url of 16 secret bytes: the key of revocation hashes and of the token cache.
    pub hash_key: String,
    /// Tokens issued before this instant (Unix seconds) are refused; set when a backup is restored.
    #[serde(default)]
    pub min_iat: u64,
    /// Keys that verify task tokens.
    pub keys: Vec<KeyDocument>,
    /// Base64url of 16-byte keyed hashes, see [`revocation`](crate::revocation).
    #[serde(default)]
    pub revocations: Vec<String>,
    /// What is reachable, by host name.
    pub hosts: Vec<HostDocument>,
}

object_only!(
    SnapshotDocument,
    Version,
    KeyDocument,
    HostDocument,
    CredentialDocument,
    RuleDocument,
    ParamDocument
);

/// Order of snapshots: compared member by member. Generations and revocations are counted apart: whether one that is later
/// by this order has all that another has, [`lacks`](Self::lacks) says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Version {
    /// Raised when a store is restored from a backup.
    pub epoch: u64,
    /// Generation of the compiled policy.
    pub generation: u64,
    /// Sequence of the last revocation included.
    pub revocation: u64,
}

impl Version {
    /// Whether something that is in `other` is not in this one: a later epoch, or in its own a policy or a revocation.
    #[must_use]
    pub fn lacks(&self, other: &Self) -> bool {
        let is_behind = self.generation < other.generation || self.revocation < other.revocation;
        self.epoch < other.epoch || (self.epoch == other.epoch && is_behind)
    }

    /// The least version that lacks nothing of either. There may be no snapshot of it yet.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if self.epoch != other.epoch {
            return self.max(other);
        }
        Self {
            epoch: self.epoch,
            generation: self.generation.max(other.generation),
            revocation: self.revocation.max(other.revocation),
        }
    }
}

/// One verification key (RFC 8037 members, without the private ones).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct KeyDocument {
    /// Key id: the RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm this key is for: `EdDSA`.
    pub alg: String,
    /// Base64url of the 32-byte Ed25519 public key.
    pub x: String,
}

/// The routes of one service, under each of its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct HostDocument {
    /// Host names, lower case, without port or trailing dot.
    pub names: Vec<String>,
    /// The `aud` a token needs here.
    pub audience: String,
    /// Whether denials are enforced.
    #[serde(default)]
    pub mode: Mode,
    /// Strictness that this host gives up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Leniency>,
    /// How old (seconds) a fed snapshot may be before this host denies with `stale_snapshot`.
    #[serde(default = "default_max_staleness")]
    pub max_staleness: u64,
    /// What granted requests carry upstream instead of their token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialDocument>,
    /// The requests this host has.
    pub rules: Vec<RuleDocument>,
}

/// What a data plane knows of a service's own credential: not where the secret is, and not the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct CredentialDocument {
    /// `namespace/name`: what it is leased by.
    pub name: String,
    /// Envoy clusters that it may reach.
    pub clusters: Vec<String>,
    /// The header field that carries it, in lower case.
    pub header: String,
}

/// Default of [`HostDocument::max_staleness`], seconds.
pub const DEFAULT_MAX_STALENESS: u64 = 30;

fn default_max_staleness() -> u64 {
    DEFAULT_MAX_STALENESS
}

/// Whether a denial is sent or only recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Denials are sent.
    #[default]
    Enforce,
    /// Denials are recorded and the request is forwarded, until an instant from which they are sent.
    Shadow {
        /// Unix seconds.
        until: u64,
    },
}

/// A reading that is refused unless a host asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leniency {
    /// One `/` at the end of a path is dropped.
    TrailingSlash,
    /// `;` is an ordinary character of a path segment and of a query.
    Semicolon,
}

/// One kind of request and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RuleDocument {
    /// Upper-case method (RFC 9110 section 9).
    pub method: String,
    /// Path template: literal segments, `{name}` for one segment, a final `{*name}` for one or more.
    pub path: String,
    /// Query names this request may have. Any other name is refused.
    #[serde(default, deserialize_with = "strict::unique_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Presence>,
    /// `namespace:Name`, may hold placeholders; or `none`: no token is needed.
    pub action: String,
    /// `scheme://authority/...`, may hold placeholders. Absent exactly when `action` is `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Parameters that grants may constrain.
    #[serde(default, deserialize_with = "strict::unique_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, ParamDocument>,
    /// Whether the request may have a body, and how it is read.
    #[serde(default)]
    pub body: BodyDocument,
    /// Names that a form may have, as in `query`. Only where `body` is `form`.
    #[serde(default, deserialize_with = "strict::unique_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub form: BTreeMap<String, Presence>,
    /// Longest body that is read, bytes. Only where `body` is `form` or `json`; [`DEFAULT_MAX_BODY`] if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body: Option<u32>,
    /// Protocols (lower case) this request may upgrade to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upgrade: Vec<String>,
}

/// Whether a declared query name must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// At most once.
    Optional,
    /// Exactly once.
    Required,
}

/// Where a parameter's value is and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ParamDocument {
    /// `path.<capture>`, `query.<name>`, `header.<name>`, `form.<name>` or `body.<JSON pointer>`.
    pub from: String,
    /// How its text is read; in JSON, what type it must have.
    #[serde(default, rename = "type")]
    pub kind: ParamType,
}

/// Type of a parameter's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// The text itself.
    #[default]
    String,
    /// An exact decimal, `-?(0|[1-9]\d*)(\.\d+)?`.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// What a request may carry after its header fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyDocument {
    /// Nothing: a body is refused.
    #[default]
    None,
    /// Bytes that the verdict does not read.
    Opaque,
    /// One JSON value.
    Json,
    /// Form-encoded pairs.
    Form,
}

/// Default of [`RuleDocument::max_body`], bytes.
pub const DEFAULT_MAX_BODY: u32 = 64 * 1024;
/// Largest [`RuleDocument::max_body`], bytes.
pub const LARGEST_MAX_BODY: u32 = 1024 * 1024;
