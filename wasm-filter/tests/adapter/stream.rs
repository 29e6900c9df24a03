//! One request: what goes on, in which form, and what is answered.

use serde_json::json;
use wasm_filter::{host::Level, stream::Flow};

use crate::{
    fake::FakeHost,
    fixture::{NOW, TASK, configured, field, request, stream, token},
};

#[test]
fn a_granted_request_goes_on_with_its_task_and_without_its_token() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut fields = request("GET", "/my-bucket/logs/2026-05/a.log", Some(&token(json!({}))));
    fields.extend([
        field("x-writ-task", "forged"),
        field("x-writ-task", "again"),
        field("x-envoy-retry-on", "5xx"),
    ]);

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Continue);
    assert_eq!(host.header("x-writ-task"), [TASK]);
    assert_eq!(host.header("x-writ-agent"), ["janitor"]);
    assert_eq!(host.header("x-writ-client"), ["orchestrator"]);
    assert_eq!(host.header("authorization"), [""; 0]);
    assert_eq!(host.header("x-envoy-retry-on"), [""; 0]);
    assert_eq!(host.state().properties["writ_task"], TASK);
    assert!(host.state().responses.is_empty());
    assert_eq!(host.metric("writ.decisions.allow"), 1);
}

#[test]
fn a_denial_is_answered_once_and_nothing_follows() {
    let host = FakeHost::new();
    let root = configured(&host);
    let fields = request("GET", "/my-bucket/logs/2026-06/a.log", Some(&token(json!({}))));
    let mut stream = stream(&host, &root, fields);

    assert_eq!(stream.on_request_headers(false), Flow::Pause);
    assert_eq!(stream.on_request_body(5, false), Flow::Pause);
    assert_eq!(stream.on_request_body(9, true), Flow::Pause);
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
    assert_eq!(host.response().code(), "ambiguous_request");
}

#[test]
fn a_denial_carries_challenge_problem_and_records() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut fields = request("GET", "/my-bucket/logs/2026-06/a.log", Some(&token(json!({}))));
    fields.push(field("x-request-id", "3f2a"));

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    let response = host.response();
    assert_eq!((response.status, response.code().as_str()), (403, "not_granted"));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("www-authenticate"), Some(r#"Bearer error="insufficient_scope""#));
    assert!(response.body.contains("3f2a") && response.body.contains(TASK), "{}", response.body);
    assert_eq!(host.state().properties["writ_denial"], "not_granted");
    assert_eq!(host.state().properties["writ_task"], TASK);
    assert_eq!(host.metric("writ.decisions.not_granted"), 1);
    assert_eq!(host.metric("writ.decisions.allow"), 0);
}

#[test]
fn a_stranger_learns_no_task() {
    let host = FakeHost::new();
    let root = configured(&host);
    let expired = token(json!({"exp": NOW - 1}));
    let forged = format!("{}A", &expired[..expired.len() - 1]);

    assert_eq!(
        stream(&host, &root, request("GET", "/b/k", Some(&forged))).on_request_headers(true),
        Flow::Pause
    );
    assert!(!host.response().body.contains(TASK));
    assert!(!host.state().properties.contains_key("writ_task"));
}

#[test]
fn an_exempt_request_needs_no_token_and_gains_no_identity() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut fields = request("GET", "/live", None);
    fields.push(field("x-writ-agent", "forged"));

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Continue);
    assert_eq!(host.header("x-writ-agent"), [""; 0]);
    assert_eq!(host.metric("writ.decisions.exempt"), 1);
}

#[test]
fn a_request_in_shadow_goes_on_and_is_recorded() {
    let host = FakeHost::new();
    let root = configured(&host);
    let mut fields = request("DELETE", "/my-bucket/k", None);
    fields[2] = field(":authority", "shadow.internal");
    fields.push(field("x-writ-task", "forged"));

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Continue);
    assert_eq!(host.header("x-writ-task"), [""; 0]);
    assert_eq!(host.metric("writ.decisions.allow"), 0);
    let recorded = host.state().properties["writ_denial"].clone();
    assert_eq!(host.metric(&format!("writ.shadow.{recorded}")), 1);
    assert!(
        host.state().log.iter().any(|(level, line)| *level == Level::Info && line.contains("would deny"))
    );
}

#[test]
fn no_log_line_holds_a_token() {
    let host = FakeHost::new();
    let root = configured(&host);
    let token = token(json!({"aud": "elsewhere"}));
    let fields = request("GET", &format!("/my-bucket/k?access_token={token}"), Some(&token));

    assert_eq!(stream(&host, &root, fields).on_request_headers(true), Flow::Pause);
    assert!(host.state().log.iter().all(|(_, line)| !line.contains(&token)));
}
