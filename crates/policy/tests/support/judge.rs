//! The verdict on requests to a policy's hosts, with a token of given grants.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use policy::Policy;
use serde_json::{Value, json};
use verdict::{
    Body, Freshness, Grant, NoCache, Peer, Request, Snapshot, UnixTime, Verdict, decide,
    document::{FORMAT, KeyDocument, SnapshotDocument, Version},
};

const NOW: u64 = 1_800_000_000;

/// A policy's hosts, as a data plane has them.
pub(crate) struct Judge {
    key: SigningKey,
    snapshot: Snapshot,
}

/// A request line.
pub(crate) struct Line<'l> {
    pub(crate) method: &'l str,
    pub(crate) host: &'l str,
    pub(crate) path: &'l str,
    pub(crate) headers: &'l [(String, String)],
}

impl Judge {
    /// Every host must have the audience `mesh`.
    pub(crate) fn of(policy: &Policy) -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let document = SnapshotDocument {
            format: FORMAT,
            requires: Vec::new(),
            version: Version::default(),
            issued_at: NOW,
            not_after: None,
            issuer: "https://writ.example".to_owned(),
            leeway: 0,
            hash_key: encode([0; 16]),
            min_iat: 0,
            keys: vec![KeyDocument {
                kid: "k".to_owned(),
                alg: "EdDSA".to_owned(),
                x: encode(key.verifying_key().as_bytes()),
            }],
            revocations: Vec::new(),
            hosts: policy.hosts().to_vec(),
        };
        Self { key, snapshot: Snapshot::compile(document).unwrap() }
    }

    /// A token of these grants.
    pub(crate) fn token(&self, grants: &[Grant]) -> String {
        let claims = json!({
            "iss": "https://writ.example", "aud": "mesh", "exp": NOW + 60, "iat": NOW, "jti": "t", "sub": "s",
            "client_id": "c", "txn": "t", "authorization_details": grants,
            "writ": {"client": "c", "tasks": ["t"], "agents": ["s"], "lineage": [], "depth": 0, "max_depth": 0},
        });
        let part = |value: Value| encode(value.to_string());
        let input =
            format!("{}.{}", part(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k"})), part(claims));
        format!("{input}.{}", encode(self.key.sign(input.as_bytes()).to_bytes()))
    }

    /// The action of an allowed request, or the verdict that it is not.
    pub(crate) fn decide(&self, token: &str, line: &Line<'_>) -> Result<String, Verdict> {
        let bearer = format!("Bearer {token}");
        let pseudo = [(":method", line.method), (":authority", line.host), (":path", line.path)];
        let fields = pseudo.into_iter().chain([("authorization", bearer.as_str())]);
        let more = line.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&[u8], &[u8])> =
            fields.chain(more).map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
        match decide(&self.snapshot, &request, UnixTime(NOW), Freshness::Static, &mut NoCache) {
            Verdict::Allow(permit) => {
                Ok(permit.record().map_or_else(String::new, |record| record.action.clone()))
            }
            other => Err(other),
        }
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
