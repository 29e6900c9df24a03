//! The verified-token cache: what it spares, and its bounds.

use std::sync::Arc;

use serde_json::json;
use verdict::{
    Body, Freshness, Peer, Request, Snapshot, TokenKey, UnixTime, VerifiedToken, VerifiedTokens, decide,
};
use wasm_filter::{
    cache::{MAX_BYTES, MAX_TOKENS, TokenCache},
    stream::Flow,
};

use crate::{
    fake::FakeHost,
    fixture::{NOW, configured, request, snapshot, stream, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

#[test]
fn a_token_is_verified_once_and_judged_every_time() {
    let host = FakeHost::new();
    let root = configured(&host);
    let token = token(json!({}));
    let judge = |path| stream(&host, &root, request("GET", path, Some(&token))).on_request_headers(true);

    assert_eq!(judge(PATH), Flow::Continue);
    assert_eq!(judge(PATH), Flow::Continue);
    assert_eq!(judge("/my-bucket/logs/2026-06/a.log"), Flow::Pause);
    assert_eq!(host.metric("writ.token_cache.miss"), 1);
    assert_eq!(host.metric("writ.token_cache.hit"), 2);

    host.state_mut().now = NOW + 300;
    assert_eq!(
        stream(&host, &root, request("GET", PATH, Some(&token))).on_request_headers(true),
        Flow::Pause
    );
    assert_eq!(host.metric("writ.decisions.expired"), 1);
}

#[test]
fn a_token_that_fails_is_not_remembered() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut forged = token(json!({})).into_bytes();
    let middle = forged.len() - 60;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");

    for _ in 0..2 {
        let fields = request("GET", PATH, Some(&forged));
        assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    }
    assert_eq!(host.metric("writ.decisions.bad_signature"), 2);
    assert_eq!(host.metric("writ.token_cache.hit"), 0);
}

/// Takes what a verdict would have remembered.
#[derive(Default)]
struct Catch(Option<(TokenKey, Arc<VerifiedToken>)>);

impl VerifiedTokens for Catch {
    fn lookup(&mut self, _: &TokenKey) -> Option<Arc<VerifiedToken>> {
        None
    }

    fn remember(&mut self, key: TokenKey, token: &Arc<VerifiedToken>) {
        self.0 = Some((key, Arc::clone(token)));
    }
}

fn verified(snapshot: &Snapshot, number: usize, padding: usize) -> (TokenKey, Arc<VerifiedToken>) {
    let resource = |index| format!("s3://my-bucket/logs/2026-05/{index}{}/**", "x".repeat(50));
    let resources: Vec<String> = (0..=padding).map(resource).collect();
    let token = token(json!({
        "jti": format!("token-{number}"),
        "authorization_details": [{"type": "task_grant", "actions": ["s3:GetObject"], "resources": resources}],
    }));
    let fields = request("GET", PATH, Some(&token));
    let headers: Vec<(&[u8], &[u8])> =
        fields.iter().map(|(name, value)| (name.as_bytes(), &value[..])).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
    let mut caught = Catch::default();
    let _ = decide(snapshot, &request, UnixTime(NOW), Freshness::Static, &mut caught);
    caught.0.expect("a verified token")
}

#[test]
fn the_cache_is_bounded_in_bytes() {
    let snapshot = Snapshot::from_json(snapshot().to_string().as_bytes()).expect("a snapshot");
    let mut cache = TokenCache::default();
    let (first, token) = verified(&snapshot, 0, 31);
    cache.remember(first, &token);
    let per_token = cache.bytes();
    let room = MAX_BYTES / per_token;
    let favourite = verified(&snapshot, 1, 31);
    cache.remember(favourite.0, &favourite.1);

    for number in 2..room + 50 {
        let (key, token) = verified(&snapshot, number, 31);
        cache.remember(key, &token);
        assert!(cache.bytes() <= MAX_BYTES);
        assert!(cache.lookup(&favourite.0).is_some(), "a token in use stays");
        assert!(cache.lookup(&key).is_some(), "the newest token is in");
    }
    assert!(cache.len() <= room && cache.len() > room / 2);
    assert!(cache.lookup(&first).is_none(), "the oldest unused token has left");
}

#[test]
fn a_token_is_remembered_once() {
    let snapshot = Snapshot::from_json(snapshot().to_string().as_bytes()).expect("a snapshot");
    let mut cache = TokenCache::default();
    let (key, token) = verified(&snapshot, 0, 0);
    cache.remember(key, &token);
    let bytes = cache.bytes();
    cache.remember(key, &token);
    assert_eq!((cache.len(), cache.bytes()), (1, bytes));
}

#[test]
fn ten_thousand_ordinary_tokens_fit() {
    let snapshot = Snapshot::from_json(snapshot().to_string().as_bytes()).expect("a snapshot");
    let mut cache = TokenCache::default();
    let (key, token) = verified(&snapshot, 0, 0);
    cache.remember(key, &token);
    // An address has eight bytes here and four in the sandbox, where this token takes 356 bytes.
    let in_the_sandbox = cache.bytes() * 3 / 4;
    assert!(in_the_sandbox * MAX_TOKENS <= MAX_BYTES, "{} bytes a token", cache.bytes());
}
