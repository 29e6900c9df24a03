//! Where the keys come from that a token is verified by.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use verdict::{
    Snapshot,
    document::{FORMAT, KeyDocument, SnapshotDocument, Version},
    revocation::HashKey,
};

use super::args::VerifyArgs;
use crate::{
    cli::{
        exit::Failure,
        input,
        published::{add_revoked, published_keys},
        remote::{Address, Client},
        snapshot::exported,
    },
    clock,
    config::resolve,
};

/// Of hashes that never leave this process.
const NO_KEY: [u8; 16] = [0; 16];
/// Tolerated clock difference where nobody says another: as servers have it by default.
const LEEWAY: u64 = 5;

/// What the token is held against.
pub(super) struct Source {
    pub(super) snapshot: Snapshot,
    /// What to call it.
    pub(super) name: String,
    /// Whether it says what is revoked.
    pub(super) knows_revoked: bool,
}

/// Finds what the token is to be held against.
pub(super) fn find(args: &VerifyArgs) -> Result<Source, Failure> {
    let (document, name) = match (&args.snapshot, &args.jwks, &args.issuer) {
        (Some(file), _, _) => (exported::read(file)?, format!("the snapshot `{}`", file.display())),
        (None, Some(jwks), Some(issuer)) => (of_jwks(jwks, issuer)?, format!("the key set `{jwks}`")),
        _ => of_store(args)?,
    };
    let snapshot = Snapshot::compile(document).map_err(|error| Failure::failed(&error))?;
    Ok(Source { snapshot, name, knows_revoked: args.jwks.is_none() })
}

/// Keys, and what is revoked, as they are in the store, whether or not a server runs.
fn of_store(args: &VerifyArgs) -> Result<(SnapshotDocument, String), Failure> {
    let config = resolve(args.places.overrides())?;
    let keys = published_keys(&config)?;
    let mut document = SnapshotDocument {
        leeway: config.leeway.as_secs(),
        keys: keys.published().map(crate::keys::PublicKey::to_document).collect(),
        ..without_keys(config.issuer.clone())
    };
    // Names are looked up here and nowhere else: any key will do.
    add_revoked(&mut document, &config, HashKey::from_bytes(NO_KEY))?;
    Ok((document, format!("the store `{}`", config.store)))
}

/// RFC 7517 section 5. Members and keys of other kinds are left out, as it says they should be.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    x: String,
}

fn of_jwks(place: &str, issuer: &str) -> Result<SnapshotDocument, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(&format!("{place}: {error}"));
    let set: KeySet = match place.parse::<Address>() {
        Ok(address) if !address.is_private() => {
            return Err(failed(&"not without TLS: whoever is on the way could put in a key of their own"));
        }
        Ok(address) => Client::new(address).json("").map_err(|error| Failure::failed(&error))?,
        Err(_) => {
            let text = input::read(Path::new(place), "a key set")?;
            serde_json::from_slice(&text).map_err(|error| failed(&error))?
        }
    };
    let usable = set.keys.into_iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
    let keys: Vec<_> =
        usable.map(|Key { kid, x, .. }| KeyDocument { kid, alg: "EdDSA".to_owned(), x }).collect();
    if keys.is_empty() {
        return Err(failed(&"no Ed25519 key there"));
    }
    Ok(SnapshotDocument { keys, ..without_keys(issuer.to_owned()) })
}

fn without_keys(issuer: String) -> SnapshotDocument {
    SnapshotDocument {
        format: FORMAT,
        requires: Vec::new(),
        version: Version::default(),
        issued_at: clock::now().0,
        not_after: None,
        issuer,
        leeway: LEEWAY,
        hash_key: URL_SAFE_NO_PAD.encode(NO_KEY),
        min_iat: 0,
        keys: Vec::new(),
        revocations: Vec::new(),
        hosts: Vec::new(),
    }
}
