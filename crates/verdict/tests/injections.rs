//! Permits that need a service's own credential: what a client sends in its place is removed, and nobody else needs one.

mod common;

use common::{NOW, claims, document, judge_at, request, snapshot, token};
use serde_json::{Value, json};
use verdict::{Body, Denial, DenialCode, Permit, PermitKind, Snapshot, UnixTime, Verdict, denial::Refusal};

const OBJECT: &str = "/my-bucket/logs/2026-05/a.log";

fn with(header: &str) -> Value {
    let mut document = document();
    document["requires"] = json!(["credentials"]);
    document["hosts"][0]["credential"] =
        json!({"name": "logs/minio", "clusters": ["minio"], "header": header});
    document
}

fn permit(document: &Value, path: &str, token: Option<&str>, more: &[(&str, &[u8])]) -> Permit {
    match judge_at(&snapshot(document), &request("GET", path, token, more), Body::Absent, NOW) {
        Verdict::Allow(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn granted(document: &Value, more: &[(&str, &[u8])]) -> Permit {
    permit(document, OBJECT, Some(&token(&claims())), more)
}

fn removed(permit: &Permit) -> Vec<String> {
    permit.edits().remove.iter().map(|name| String::from_utf8(name.clone()).unwrap()).collect()
}

#[test]
fn only_a_granted_request_needs_it() {
    let document = with("authorization");
    let permit = granted(&document, &[]);
    let injection = permit.injection().unwrap();
    assert_eq!((injection.name(), injection.header()), ("logs/minio", "authorization"));
    assert!(injection.may_reach(b"minio") && !injection.may_reach(b"minio2") && !injection.may_reach(b""));
    assert!(self::permit(&document, "/healthz", None, &[]).injection().is_none());
    assert!(granted(&common::document(), &[]).injection().is_none());
}

/// Whoever forgets to inject forwards neither the token nor the client's own copy.
#[test]
fn what_stands_in_its_place_is_removed() {
    assert_eq!(removed(&granted(&with("authorization"), &[])), ["authorization"]);
    let copies = ["x-api-key", "x_api_key", "x-api-key", "x-api-keys"].map(|name| (name, &b"forged"[..]));
    let mut names = removed(&granted(&with("x-api-key"), &copies));
    names.sort();
    assert_eq!(names, ["authorization", "x-api-key", "x_api_key"]);
}

#[test]
fn one_that_cannot_be_had_denies_or_is_recorded() {
    let refusal = || Refusal::new(DenialCode::ServerUnavailable, "none");
    let now = UnixTime(NOW);
    let Verdict::Deny(denial) = granted(&with("authorization"), &[]).refused(refusal(), now) else {
        panic!()
    };
    assert_eq!((denial.code(), denial.task()), (DenialCode::ServerUnavailable, Some("task-1")));
    let mut shadow = with("authorization");
    shadow["hosts"][0]["mode"] = json!({"shadow": {"until": NOW + 60}});
    let forged = ["x-writ-task", "x-writ-agent", "x-writ-client"].map(|name| (name, &b"admin"[..]));
    let Verdict::Allow(permit) = granted(&shadow, &forged).refused(refusal(), now) else { panic!() };
    assert_eq!(permit.kind(), PermitKind::Shadowed);
    assert_eq!(permit.shadowed_denial().map(Denial::code), Some(DenialCode::ServerUnavailable));
    assert!(permit.injection().is_none() && permit.edits().set.is_empty());
    let mut names = removed(&permit);
    names.sort();
    let replaced = ["x-envoy-max-retries", "x-writ-agent", "x-writ-client", "x-writ-task"];
    assert_eq!(
        (&names[..1], &names[1..]),
        (&["authorization".to_owned()][..], &replaced.map(String::from)[..])
    );
}

#[test]
fn a_document_that_could_mislead_is_refused() {
    let mut unknown = with("authorization");
    unknown["requires"] = json!(["credentials", "other"]);
    let mut without_clusters = with("authorization");
    without_clusters["hosts"][0]["credential"]["clusters"] = json!([]);
    let mut more = with("authorization");
    more["hosts"][0]["credential"]["secret"] = json!("x");
    for (document, reason) in [
        (with("host"), "means something else"),
        (with(":path"), "a header name has"),
        (with("X-Api-Key"), "a header name has"),
        (with("x-writ-task"), "means something else"),
        (with("transfer-encoding"), "means something else"),
        (with(""), "a header name has"),
        (without_clusters, "names no cluster"),
        (more, "unknown field"),
        (unknown, "requires `other`"),
    ] {
        let error = Snapshot::from_json(document.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
