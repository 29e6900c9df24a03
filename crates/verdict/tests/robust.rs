//! No bytes make a parser panic, and the same question gets the same answer, with and without a memory of proofs.

mod common;

use std::{collections::HashMap, sync::Arc};

use common::{NOW, claims, document, judge_at, snapshot, token};
use proptest::{collection::vec, prelude::*};
use verdict::{
    Body, Freshness, Grant, NoCache, Peer, Request, Snapshot, TokenKey, UnixTime, VerifiedToken,
    VerifiedTokens, decide, token::UnverifiedToken,
};

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

/// Field names and values near those that matter, and far from them.
fn field() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = prop_oneof![
        prop::sample::select(vec![
            ":method",
            ":path",
            ":authority",
            "host",
            "authorization",
            "cookie",
            "content-length",
            "upgrade",
            "x-tenant",
            "dpop",
            "x-writ-task",
            "x-http-method-override",
            "x-request-id",
        ])
        .prop_map(|name| name.as_bytes().to_vec()),
        vec(any::<u8>(), 0..12),
    ];
    let value = prop_oneof![
        prop::sample::select(vec![
            "GET",
            "POST",
            "/my-bucket/logs/2026-05/a",
            "/my-bucket?prefix=logs/2026-05",
            "/healthz",
            "/rds?Action=DescribeX",
            "logs.internal",
            "LOGS.internal:80",
            "0",
            "1",
            "websocket",
            "Bearer x",
        ])
        .prop_map(|value| value.as_bytes().to_vec()),
        "/[a-z%./;?&=+2FeE#]{0,24}".prop_map(String::into_bytes),
        Just(format!("Bearer {}", token(&claims())).into_bytes()),
        vec(any::<u8>(), 0..32),
    ];
    (name, value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn any_fields_get_one_verdict(fields in vec(field(), 0..10), present: bool, now in NOW - 100..NOW + 200) {
        let snapshot = snapshot_once();
        let body = if present { Body::Present } else { Body::Absent };
        let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Request { headers: &headers, body, peer: &Peer::none() };
        let first = judge_at(snapshot, &fields, body, now);
        prop_assert_eq!(&first, &judge_at(snapshot, &fields, body, now));
        let mut memory = Memory::default();
        for _ in 0..2 {
            let remembered = decide(snapshot, &request, UnixTime(now), Freshness::Static, &mut memory);
            prop_assert_eq!(&first, &remembered);
        }
        if let verdict::Verdict::Deny(denial) = first {
            let _ = denial.response(&request);
        }
    }

    #[test]
    fn any_path_is_read_or_refused(path in "[/a-z%.;?&=0-9A-F\\\\#*+\u{80}-\u{ff}\n]{0,40}") {
        let fields = common::request("GET", &path, Some(&token(&claims())), &[]);
        let _ = judge_at(snapshot_once(), &fields, Body::Absent, NOW);
    }

    #[test]
    fn any_token_is_read_or_refused(bytes in vec(any::<u8>(), 0..200), text in "[A-Za-z0-9_.=-]{0,200}") {
        let _ = UnverifiedToken::parse(&bytes);
        let _ = UnverifiedToken::parse(text.as_bytes());
        let _ = UnverifiedToken::resembles(text.as_bytes());
    }

    #[test]
    fn any_changed_token_is_refused(at in 0usize..600, byte: u8) {
        let mut bytes = token(&claims()).into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let mut fields = common::request("GET", "/my-bucket/logs/2026-05/a", None, &[]);
        fields.push((b"authorization".to_vec(), [b"Bearer ", &bytes[..]].concat()));
        prop_assert_ne!(common::code(&judge_at(snapshot_once(), &fields, Body::Absent, NOW)), "allow");
    }

    #[test]
    fn any_document_compiles_or_is_refused(at in 0usize..2000, replacement in "[\\[\\]{}:,\"a-z0-9*/]{0,3}") {
        let mut text = document().to_string();
        let at = at % text.len();
        prop_assume!(text.is_char_boundary(at));
        text.replace_range(at..=at, &replacement);
        let _ = Snapshot::from_json(text.as_bytes());
        let _ = Grant::parse_list(text.as_bytes());
    }

    #[test]
    fn any_certificate_is_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Peer::from_url_encoded_pem(&bytes, true);
    }
}

fn snapshot_once() -> &'static Snapshot {
    static SNAPSHOT: std::sync::OnceLock<Snapshot> = std::sync::OnceLock::new();
    SNAPSHOT.get_or_init(|| snapshot(&document()))
}

#[test]
fn a_remembered_token_is_still_checked() {
    let mut memory = Memory::default();
    let fields = common::get("/my-bucket/logs/2026-05/a", &token(&claims()), &[]);
    let headers: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { headers: &headers, body: Body::Absent, peer: &Peer::none() };
    let mut at = |document: &serde_json::Value, now| {
        common::code(&decide(&snapshot(document), &request, UnixTime(now), Freshness::Static, &mut memory))
    };
    assert_eq!(at(&document(), NOW), "allow");
    assert_eq!(at(&document(), NOW + 65), "expired");
    let mut other_audience = document();
    other_audience["hosts"][0]["audience"] = "elsewhere".into();
    assert_eq!(at(&other_audience, NOW), "wrong_audience");
    let mut no_keys = document();
    no_keys["keys"] = serde_json::json!([]);
    assert_eq!(at(&no_keys, NOW), "unknown_key");
    let _ = decide(&snapshot(&document()), &request, UnixTime(NOW), Freshness::Static, &mut NoCache);
}
