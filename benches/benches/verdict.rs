//! Signature checks side by side, and whole verdicts with a token never seen and one seen before.

use std::{collections::HashMap, hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signature, VerifyingKey as Dalek};
use verdict::{
    Body, Freshness, NoCache, Peer, Request, TokenKey, UnixTime, Verdict, VerifiedToken, VerifiedTokens,
    decide, ed25519::VerifyingKey, token::UnverifiedToken,
};
use writ_benches::{NOW, document, headers, key, snapshot, token};

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

fn signatures(criterion: &mut Criterion) {
    let message = token(0);
    let (signature, public) = (key().sign(message.as_bytes()), key().public());
    let tables = VerifyingKey::from_bytes(&public).expect("the key is a point");
    let dalek = Dalek::from_bytes(&public).expect("the key is a point");
    let parsed = Signature::from_bytes(&signature);
    let mut group = criterion.benchmark_group("signature");
    group.bench_function("two tables", |bencher| {
        bencher.iter(|| tables.verify(black_box(message.as_bytes()), &signature));
    });
    group.bench_function("verify_strict", |bencher| {
        bencher.iter(|| dalek.verify_strict(black_box(message.as_bytes()), &parsed));
    });
    group.bench_function("preparing a key's tables", |bencher| {
        bencher.iter(|| VerifyingKey::from_bytes(black_box(&public)));
    });
    group.finish();
}

fn verdicts(criterion: &mut Criterion) {
    let snapshot = snapshot();
    let owned = headers(&token(0));
    let headers: Vec<(&[u8], &[u8])> =
        owned.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
    let judge = |tokens: &mut dyn VerifiedTokens| {
        decide(&snapshot, black_box(&request), UnixTime(NOW), Freshness::Static, tokens)
    };
    assert!(
        matches!(judge(&mut NoCache), Verdict::Allow(_)),
        "a denial is cheaper, and not what is measured"
    );
    let mut group = criterion.benchmark_group("verdict");
    group.bench_function("token never seen", |bencher| bencher.iter(|| judge(&mut NoCache)));
    let mut memory = Memory::default();
    let _ = judge(&mut memory);
    group.bench_function("token seen before", |bencher| bencher.iter(|| judge(&mut memory)));
    let token = token(0);
    group.bench_function("token split and header read", |bencher| {
        bencher.iter(|| UnverifiedToken::parse(black_box(token.as_bytes())));
    });
    let document = document();
    group.bench_function("snapshot read and compiled", |bencher| {
        bencher.iter_batched(
            || document.clone(),
            |document| verdict::Snapshot::from_json(&document),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, signatures, verdicts);
criterion_main!(benches);
