//! Any header fields as a request: one verdict, the same twice, and edits that `ext_authz` can apply.
//!
//! The input is one field a line, `name: value`, so that seeds can be read and written by hand. The last line is a body, too.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use verdict::{Body, Freshness, NoCache, Peer, PermitKind, Request, Snapshot, UnixTime, Verdict, decide};

fuzz_target!(|bytes: &[u8]| {
    let headers: Vec<(&[u8], &[u8])> = bytes.split(|byte| *byte == b'\n').filter_map(field).collect();
    let whole = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    for body in [Body::Absent, Body::Present, Body::Whole(whole), Body::TooLarge, Body::Cut, Body::Unread] {
        let request = Request { headers: &headers, body, peer: &Peer::none() };
        let judge = || decide(snapshot(), &request, UnixTime(1_800_000_000), Freshness::Static, &mut NoCache);
        let verdict = judge();
        assert_eq!(verdict, judge());
        match verdict {
            Verdict::Allow(permit) => {
                assert_ne!(permit.kind(), PermitKind::Granted, "granted without a signature");
                let edits = permit.edits();
                assert!(
                    edits.set.iter().all(|(set, _)| !edits.remove.iter().any(|name| name == set.as_bytes()))
                );
            }
            Verdict::NeedsUse(limited) => panic!("a use without a signature: {limited:?}"),
            Verdict::Deny(denial) => {
                let response = denial.response(&request);
                assert!(response.status >= 400 && !response.body.is_empty());
            }
            Verdict::NeedsBody(_) => panic!("a body was asked for without a signature"),
        }
    }
});

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    // A pseudo-header's name begins with a colon.
    let colon = line.iter().skip(1).position(|byte| *byte == b':')? + 1;
    let (name, value) = line.split_at(colon);
    Some((name, value[1..].strip_prefix(b" ").unwrap_or(&value[1..])))
}

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        Snapshot::from_json(include_bytes!("../corpus/snapshot/logs.json")).expect("the seed is a snapshot")
    })
}
