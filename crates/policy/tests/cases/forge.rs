//! Tokens and decisions under a throwaway key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use policy::Policy;
use verdict::{
    Body, Freshness, Grant, NoCache, Peer, PermitKind, Request, Snapshot, UnixTime, Verdict, decide,
    document::{FORMAT, KeyDocument, SnapshotDocument, Version},
    token::claims::{Claims, WritClaim},
};

use super::Case;

const ISSUER: &str = "https://writ.example";
const KID: &str = "throwaway";
const NOW: u64 = 1_780_000_000;

/// A snapshot of a policy and the key that signs for it.
pub(crate) struct Forge {
    key: SigningKey,
    snapshot: Snapshot,
    audiences: Vec<String>,
}

impl Forge {
    /// Compiles `policy` into a snapshot, which must work: it was compiled by the same rules.
    pub(crate) fn new(policy: &Policy) -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let snapshot = Snapshot::compile(SnapshotDocument {
            format: FORMAT,
            requires: Vec::new(),
            version: Version::default(),
            issued_at: NOW,
            not_after: None,
            issuer: ISSUER.to_owned(),
            leeway: 0,
            hash_key: URL_SAFE_NO_PAD.encode([1; 16]),
            min_iat: 0,
            keys: vec![KeyDocument {
                kid: KID.to_owned(),
                alg: "EdDSA".to_owned(),
                x: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
            }],
            revocations: Vec::new(),
            hosts: policy.hosts().to_vec(),
        });
        let audiences = policy.audiences().into_iter().map(str::to_owned).collect();
        Self { key, snapshot: snapshot.unwrap(), audiences }
    }

    /// `allow`, `exempt`, or the code of the denial.
    pub(crate) fn decide(&self, client: &str, grants: &[Grant], case: &Case) -> String {
        let line = &case.request;
        let bearer = format!("Bearer {}", self.token(client, grants));
        let mut headers = vec![
            (":method", line.method.as_str()),
            (":authority", line.host.as_str()),
            (":scheme", "http"),
            (":path", line.path.as_str()),
        ];
        headers.extend(line.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if case.token {
            headers.push(("authorization", &bearer));
        }
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let body = if line.body { Body::Present } else { Body::Absent };
        let request = Request { headers: &headers, body, peer: &Peer::none() };
        let fresh = Freshness::AsOf(UnixTime(NOW));
        match decide(&self.snapshot, &request, UnixTime(NOW), fresh, &mut NoCache) {
            Verdict::Allow(permit) => match permit.kind() {
                PermitKind::Granted => "allow".to_owned(),
                PermitKind::Exempt => "exempt".to_owned(),
                PermitKind::Shadowed => "shadowed".to_owned(),
            },
            Verdict::Deny(denial) => denial.code().as_str().to_owned(),
        }
    }

    fn token(&self, client: &str, grants: &[Grant]) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: self.audiences.clone(),
            exp: NOW + 300,
            iat: NOW,
            nbf: None,
            jti: "token".to_owned(),
            sub: client.to_owned(),
            act: None,
            client_id: client.to_owned(),
            txn: "task".to_owned(),
            authorization_details: grants.to_vec(),
            cnf: None,
            writ: WritClaim {
                client: client.to_owned(),
                tasks: vec!["task".to_owned()],
                agents: vec![client.to_owned()],
                lineage: Vec::new(),
                depth: 0,
                max_depth: 0,
            },
        };
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{KID}"}}"#);
        let payload = serde_json::to_vec(&claims).unwrap();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}
