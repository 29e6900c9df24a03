//! Verdicts under a key that nobody keeps.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use verdict::{
    Freshness, Grant, NoCache, Peer, Request, Snapshot, SnapshotError, UnixTime, Use, Verdict, decide,
    document::{FORMAT, HostDocument, SnapshotDocument, Version},
    grant::GrantId,
    token::{Claims, claims::WritClaim},
};

use super::RequestLine;
use crate::{
    clock,
    keys::{KeyError, SigningError, SigningKey},
};

const ISSUER: &str = "https://trial.invalid";
/// One for all hosts: whose token it is, is not what is tried out.
const AUDIENCE: &str = "trial";
const LIFETIME: u64 = 300;

/// Hosts, and a key to judge requests to them with.
#[derive(Debug)]
pub struct Trial {
    key: SigningKey,
    snapshot: Snapshot,
    now: UnixTime,
}

/// Why there is no verdict.
#[derive(Debug, Error)]
pub enum TrialError {
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No token.
    #[error(transparent)]
    Sign(#[from] SigningError),
    /// No snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl Trial {
    /// Tries out `hosts`.
    ///
    /// # Errors
    /// The hosts make no snapshot, which those of a compiled policy do, or there are no random numbers.
    pub fn new(hosts: impl IntoIterator<Item = HostDocument>) -> Result<Self, TrialError> {
        let key = SigningKey::generate()?;
        let now = clock::now();
        let hosts = hosts.into_iter().map(|host| HostDocument { audience: AUDIENCE.to_owned(), ..host });
        let snapshot = Snapshot::compile(SnapshotDocument {
            format: FORMAT,
            requires: Vec::new(),
            version: Version::default(),
            issued_at: now.0,
            not_after: None,
            issuer: ISSUER.to_owned(),
            leeway: 0,
            // The key of a snapshot that holds no revocations and lives in this process alone.
            hash_key: URL_SAFE_NO_PAD.encode([0; 16]),
            min_iat: 0,
            keys: vec![key.public().to_document()],
            revocations: Vec::new(),
            hosts: hosts.collect(),
        })?;
        Ok(Self { key, snapshot, now })
    }

    /// The verdict on a request with a token of `grants`, or without a token; on the first use of a limited one.
    ///
    /// # Errors
    /// The token cannot be signed.
    pub fn judge(&self, line: &RequestLine, grants: Option<&[Grant]>) -> Result<Verdict, TrialError> {
        let token = grants.map(|grants| self.key.sign(&self.claims(grants))).transpose()?;
        let fields = line.fields(token.as_deref());
        let headers: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let request = Request { headers: &headers, body: line.body(), peer: &Peer::none() };
        Ok(match decide(&self.snapshot, &request, self.now, Freshness::Static, &mut NoCache) {
            Verdict::NeedsUse(limited) => limited.settle(Use::Counted),
            verdict => verdict,
        })
    }

    fn claims(&self, grants: &[Grant]) -> Claims {
        let name = || "trial".to_owned();
        Claims {
            iss: ISSUER.to_owned(),
            aud: vec![AUDIENCE.to_owned()],
            exp: self.now.plus(LIFETIME).0,
            iat: self.now.0,
            nbf: None,
            jti: name(),
            sub: name(),
            act: None,
            client_id: name(),
            txn: name(),
            authorization_details: grants.iter().cloned().map(named).collect(),
            cnf: None,
            writ: WritClaim {
                client: name(),
                tasks: vec![name()],
                agents: vec![name()],
                lineage: Vec::new(),
                depth: 0,
                max_depth: 0,
            },
        }
    }
}

/// With the id that a limited grant gets at its issue: which one makes no difference here.
fn named(grant: Grant) -> Grant {
    let id = grant.id.or_else(|| GrantId::try_from("g".to_owned()).ok());
    Grant { id, ..grant }
}
