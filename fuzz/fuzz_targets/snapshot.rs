//! Any bytes as a snapshot: compiled or refused, and one that compiles can be asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use verdict::{Body, Freshness, NoCache, Peer, Request, Snapshot, UnixTime, decide};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = Snapshot::from_json(bytes) {
        let headers: [(&[u8], &[u8]); 3] = [
            (b":method", b"GET"),
            (b":path", b"/my-bucket/logs/2026-05/a"),
            (b":authority", b"logs.internal"),
        ];
        let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
        let _ = decide(&snapshot, &request, UnixTime(1_800_000_000), Freshness::Static, &mut NoCache);
    }
});
