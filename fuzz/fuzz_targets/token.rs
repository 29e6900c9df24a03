//! Any bytes as a token: read or refused, never a panic, and never accepted under a key nobody holds.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use verdict::{
    Grant, Snapshot, VerifiedToken,
    token::{Claims, UnverifiedToken},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(token) = UnverifiedToken::parse(bytes) {
        assert!(VerifiedToken::verify(&token, snapshot()).is_err(), "accepted without a signature");
    }
    // What lies behind the signature has parsers too.
    let _ = Claims::parse(bytes);
    if let Ok(grants) = Grant::parse_list(bytes) {
        for grant in &grants {
            assert!(grant.covered_by(grant), "a grant covers itself");
        }
    }
});

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        Snapshot::from_json(include_bytes!("../corpus/snapshot/logs.json")).expect("the seed is a snapshot")
    })
}
