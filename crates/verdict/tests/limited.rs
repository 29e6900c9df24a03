//! Limited grants: which one a request uses, and what comes of it.

mod common;

use serde_json::{Value, json};
use verdict::{Body, LimitedPermit, PermitKind, Use, Verdict, permit::RETRIES_HEADER};

use crate::common::{NOW, code, document, get, judge_at, snapshot, token};

const PATH: &str = "/my-bucket/logs/2026-05/app.log";

fn grant(id: &str, uses: Option<u32>) -> Value {
    let mut grant = json!({"type": "task_grant", "id": id, "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/**"]});
    if let Some(uses) = uses {
        grant["limits"] = json!({"uses": uses});
    }
    grant
}

fn with(grants: Value) -> String {
    let mut claims = common::claims();
    claims["authorization_details"] = grants;
    token(&claims)
}

fn ask(token: &str, document: &Value) -> Verdict {
    let fields = get(PATH, token, &[("x-envoy-max-retries", b"9"), ("x_envoy_max_retries", b"9")]);
    judge_at(&snapshot(document), &fields, Body::Absent, NOW)
}

fn limited(token: &str) -> LimitedPermit {
    match ask(token, &document()) {
        Verdict::NeedsUse(limited) => *limited,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_grant_without_a_limit_counts_else_the_first() {
    let named = |grants: Value| {
        let limited = limited(&with(grants));
        (limited.limit().grant, limited.limit().id.as_str().to_owned())
    };
    assert_eq!(named(json!([grant("g1", Some(1)), grant("g2", Some(5))])), (0, "g1".into()));
    let mut elsewhere = grant("g1", Some(1));
    elsewhere["actions"] = json!(["s3:PutObject"]);
    assert_eq!(named(json!([elsewhere, grant("g2", Some(5))])), (1, "g2".into()));
    let free = with(json!([grant("g1", Some(1)), grant("g2", None)]));
    assert_eq!(code(&ask(&free, &document())), "allow");
}

#[test]
fn only_what_became_of_the_use_makes_a_verdict() {
    let token = with(json!([grant("g1", Some(1))]));
    for (outcome, expected) in [
        (Use::Counted, "allow"),
        (Use::Exhausted, "limit_exhausted"),
        (Use::Revoked, "revoked"),
        (Use::Unavailable, "server_unavailable"),
    ] {
        let limited = limited(&token);
        assert_eq!(limited.token(), token.as_bytes());
        let verdict = limited.settle(outcome);
        assert_eq!(code(&verdict), expected);
        if let Verdict::Deny(denial) = verdict {
            assert_eq!(denial.task(), Some("task-1"));
        }
    }
}

#[test]
fn one_use_is_one_attempt() {
    let Verdict::Allow(permit) = limited(&with(json!([grant("g1", Some(1))]))).settle(Use::Counted) else {
        panic!("denied")
    };
    let edits = permit.edits();
    assert!(edits.set.contains(&(RETRIES_HEADER, "0")));
    assert!(!edits.remove.contains(&RETRIES_HEADER.as_bytes().to_vec()), "it is set");
    assert!(edits.remove.contains(&b"x_envoy_max_retries".to_vec()));
    let Verdict::Allow(free) = ask(&with(json!([grant("g1", None)])), &document()) else { panic!("denied") };
    assert!(free.edits().set.iter().all(|(name, _)| *name != RETRIES_HEADER));
    assert!(free.edits().remove.contains(&RETRIES_HEADER.as_bytes().to_vec()));
}

#[test]
fn shadow_holds_the_denial_back() {
    let mut shadow = document();
    shadow["hosts"][0]["mode"] = json!({"shadow": {"until": NOW + 10}});
    let token = with(json!([grant("g1", Some(1))]));
    let Verdict::NeedsUse(limited) = ask(&token, &shadow) else { panic!("no use") };
    let Verdict::Allow(permit) = limited.settle(Use::Exhausted) else { panic!("denied") };
    assert_eq!(permit.kind(), PermitKind::Shadowed);
    assert_eq!(permit.shadowed_denial().unwrap().code().as_str(), "limit_exhausted");
    assert!(permit.edits().set.is_empty());
    assert!(permit.edits().remove.contains(&b"authorization".to_vec()), "the token does not travel");
}

#[test]
fn a_limit_without_an_id_cannot_be_counted() {
    let mut nameless = grant("g1", Some(1));
    nameless.as_object_mut().unwrap().remove("id");
    assert_eq!(code(&ask(&with(json!([nameless])), &document())), "server_unavailable");
}
