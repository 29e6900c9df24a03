//! Instructions of parse, verify and decide: counts that a busy machine does not change, so that a regression shows.
//! Needs valgrind and `gungraun-runner`, which `make bench` installs.
#![allow(missing_docs)] // the macros make functions of their own public

use std::{collections::HashMap, hint::black_box, sync::Arc};

use gungraun::{library_benchmark, library_benchmark_group, main};
use verdict::{
    Body, Freshness, NoCache, Peer, Request, Snapshot, TokenKey, UnixTime, Verdict, VerifiedToken,
    VerifiedTokens, decide, ed25519::VerifyingKey, token::UnverifiedToken,
};
use writ_benches::{NOW, headers, key, snapshot, token};

#[derive(Default)]
struct Memory(HashMap<TokenKey, Arc<VerifiedToken>>);

impl VerifiedTokens for Memory {
    fn lookup(&mut self, key: &TokenKey) -> Option<Arc<VerifiedToken>> {
        self.0.get(key).cloned()
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.0.insert(key, Arc::clone(token));
    }
}

/// A snapshot, a request that passes, and a memory in which its token is remembered or not.
struct Case {
    snapshot: Snapshot,
    headers: Vec<(&'static str, String)>,
    memory: Memory,
}

impl Case {
    fn judge(&self, tokens: &mut dyn VerifiedTokens) -> Verdict {
        let headers: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
        decide(&self.snapshot, black_box(&request), UnixTime(NOW), Freshness::Static, tokens)
    }
}

fn never_seen() -> Case {
    Case { snapshot: snapshot(), headers: headers(&token(0)), memory: Memory::default() }
}

fn seen_before() -> Case {
    let mut case = never_seen();
    let mut memory = Memory::default();
    // A denial is cheaper, and not what is measured.
    assert!(matches!(case.judge(&mut memory), Verdict::Allow(_)));
    case.memory = memory;
    case
}

fn signed() -> (VerifyingKey, String, [u8; 64]) {
    let message = token(0);
    let signature = key().sign(message.as_bytes());
    (VerifyingKey::from_bytes(&key().public()).expect("the key is a point"), message, signature)
}

#[library_benchmark(setup = token)]
#[bench::one_grant(0)]
fn parse(token: String) -> bool {
    let parsed = black_box(UnverifiedToken::parse(black_box(token.as_bytes())).is_ok());
    std::mem::forget(token);
    parsed
}

#[library_benchmark(setup = signed)]
#[bench::two_tables()]
fn verify((key, message, signature): (VerifyingKey, String, [u8; 64])) -> bool {
    let verified = black_box(key.verify(black_box(message.as_bytes()), &signature).is_ok());
    std::mem::forget((key, message));
    verified
}

#[library_benchmark]
#[bench::never_seen(never_seen())]
fn decide_cold(case: Case) -> Verdict {
    let verdict = case.judge(&mut NoCache);
    std::mem::forget(case);
    verdict
}

#[library_benchmark]
#[bench::seen_before(seen_before())]
fn decide_warm(mut case: Case) -> Verdict {
    let mut memory = std::mem::take(&mut case.memory);
    let verdict = case.judge(&mut memory);
    std::mem::forget((case, memory));
    verdict
}

library_benchmark_group!(name = verdicts, benchmarks = [parse, verify, decide_cold, decide_warm]);
main!(library_benchmark_groups = verdicts);
