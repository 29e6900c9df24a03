//! Requests that were let through and are still open: ended when what they rest on is no more, and only then.

use serde_json::{Value, json};
use verdict::revocation::Kind;
use wasm_filter::{
    host::ContextId,
    root::Root,
    stream::{Flow, Stream},
};

use crate::{
    deltas::{delta, encode, hash},
    fake::FakeHost,
    feed::{at_five, fed, hear, heartbeat, pass, pieces},
    fixture::{NOW, ROOT, TASK, configuration, configured, field, request, snapshot, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

/// A request that goes on, of a token with these changes.
fn open(host: &FakeHost, root: &Root<FakeHost>, context: u32, changes: Value) -> Stream<FakeHost> {
    host.state_mut().headers = request("GET", PATH, Some(&token(changes)));
    let mut stream = root.stream(ContextId(context));
    assert_eq!(stream.on_request_headers(true), Flow::Continue);
    stream
}

fn of_task(task: &str) -> Value {
    json!({"txn": task, "jti": format!("token-{task}"),
           "writ": {"client": "orchestrator", "tasks": [task], "agents": ["janitor"], "lineage": [], "depth": 0,
                    "max_depth": 0}})
}

fn ended(host: &FakeHost) -> Vec<u32> {
    host.state().answered.clone()
}

fn tick_at(host: &FakeHost, root: &mut Root<FakeHost>, seconds: u64) {
    host.state_mut().now = NOW + seconds;
    root.on_tick();
    assert!([0, ROOT.0].contains(&host.state().current), "back in the root's context");
}

#[test]
fn a_revocation_ends_what_rests_on_it_at_once() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let _own = open(&host, &root, 10, json!({}));
    let _other = open(&host, &root, 11, of_task("task-2"));
    let _own_too = open(&host, &root, 12, json!({}));
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    assert_eq!(ended(&host), [10, 12]);
    assert!([0, ROOT.0].contains(&host.state().current));
    let response = host.state().responses[0].clone();
    assert_eq!((response.status, response.code().as_str()), (401, "revoked"));
    assert!(response.body.contains(TASK), "its own task is no secret");
    assert_eq!(host.metric("writ.ended.revoked"), 2);
    assert_eq!(host.state().properties["writ_denial"], "revoked");
    // Each once.
    pass(&host, &mut root, 3_000);
    hear(&host, &mut root, 1, encode(delta(10, 11, &[hash(Kind::Agent, "nobody")], &[])));
    assert_eq!(ended(&host), [10, 12]);
    hear(&host, &mut root, 1, encode(delta(11, 12, &[hash(Kind::Agent, "janitor")], &[])));
    assert_eq!(ended(&host), [10, 12, 11]);
}

#[test]
fn a_snapshot_ends_them_too_where_it_has_another_revocation_or_lacks_the_key() {
    for change in [
        (|document| document["keys"] = json!([])) as fn(&mut Value),
        |document| document["min_iat"] = json!(NOW),
        |document| document["revocations"] = json!([base64url(hash(Kind::Task, TASK))]),
    ] {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        let _stream = open(&host, &root, 10, json!({}));
        for piece in pieces(6, 2, |_| {}) {
            hear(&host, &mut root, 1, piece);
        }
        assert!(ended(&host).is_empty());
        for piece in pieces(7, 2, change) {
            hear(&host, &mut root, 1, piece);
        }
        assert_eq!(ended(&host), [10]);
    }
}

fn base64url(bytes: [u8; 16]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn expiry_ends_within_a_tick_without_a_feed_too() {
    let long = || json!({"exp": NOW + 3_000});
    let fed: fn(&FakeHost) -> Root<FakeHost> = at_five;
    for (root, is_fed) in [(fed, true), (configured, false)] {
        let host = FakeHost::new();
        let mut root = root(&host);
        let _first = open(&host, &root, 10, json!({}));
        let _second = open(&host, &root, 11, long());
        assert_eq!(host.state().tick, Some(1_000));
        for seconds in [100, 200, 299, 300, 301] {
            host.state_mut().now = NOW + seconds;
            if is_fed {
                hear(&host, &mut root, 1, heartbeat(5, (NOW + seconds) * 1000));
            }
            tick_at(&host, &mut root, seconds);
            assert_eq!(ended(&host).len(), usize::from(seconds >= 300), "{seconds}");
        }
        assert_eq!((ended(&host), host.metric("writ.ended.expired")), (vec![10], 1));
    }
}

#[test]
fn a_snapshot_that_has_gone_stale_carries_nobody() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let _stream = open(&host, &root, 10, json!({}));
    tick_at(&host, &mut root, 30);
    assert!(ended(&host).is_empty());
    tick_at(&host, &mut root, 31);
    assert_eq!((ended(&host), host.metric("writ.ended.stale_snapshot")), (vec![10], 1));

    let host = FakeHost::new();
    let mut root = Root::new(host.clone(), ROOT);
    let mut document = snapshot();
    document["not_after"] = json!(NOW + 5);
    assert!(root.configure(&configuration(&document)));
    let _stream = open(&host, &root, 10, json!({}));
    tick_at(&host, &mut root, 4);
    assert!(ended(&host).is_empty());
    tick_at(&host, &mut root, 5);
    assert_eq!(ended(&host), [10]);
}

#[test]
fn what_rests_on_no_token_goes_on_and_so_does_what_is_in_shadow() {
    let host = FakeHost::new();
    let mut root = configured(&host);
    host.state_mut().headers = request("GET", "/live", None);
    let mut exempt = root.stream(ContextId(10));
    assert_eq!(exempt.on_request_headers(true), Flow::Continue);
    let mut fields = request("GET", PATH, Some(&token(json!({"exp": NOW + 30}))));
    fields[2] = field(":authority", "shadow.internal");
    host.state_mut().headers = fields;
    let mut shadow = root.stream(ContextId(11));
    assert_eq!(shadow.on_request_headers(true), Flow::Continue);
    tick_at(&host, &mut root, 40);
    assert!(ended(&host).is_empty());
    // From then on its host enforces.
    tick_at(&host, &mut root, 60);
    assert_eq!(ended(&host), [11]);
}

#[test]
fn what_was_revoked_in_shadow_ends_with_the_shadow() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let _streams: Vec<_> = [(10, json!({})), (11, of_task("task-2"))]
        .into_iter()
        .map(|(context, changes)| {
            let mut fields = request("GET", PATH, Some(&token(changes)));
            fields[2] = field(":authority", "shadow.internal");
            host.state_mut().headers = fields;
            let mut stream = root.stream(ContextId(context));
            assert_eq!(stream.on_request_headers(true), Flow::Continue);
            stream
        })
        .collect();
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    let mut previous = 10;
    for (seconds, expected) in [(30, &[][..]), (59, &[]), (60, &[10]), (70, &[10])] {
        host.state_mut().now = NOW + seconds;
        // Of nothing new; it keeps fresh.
        let as_of_ms = (NOW + seconds) * 1000;
        let beat = proto::v1::Delta { as_of_ms, ..delta(previous, seconds, &[], &[]) };
        previous = seconds;
        hear(&host, &mut root, 1, encode(beat));
        tick_at(&host, &mut root, seconds);
        assert_eq!(ended(&host), expected, "{seconds}");
    }
    assert_eq!(host.metric("writ.ended.revoked"), 1);
}

/// Revoked or expired before it came, or without any token: from the first second of enforcement all are refused.
#[test]
fn what_shadow_let_through_ends_with_the_shadow() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    let expired = json!({"iat": NOW - 200, "exp": NOW - 100});
    let tokens = [(10, Some(json!({}))), (11, Some(expired)), (12, None), (13, Some(of_task("task-3")))];
    let _streams: Vec<_> = tokens
        .into_iter()
        .map(|(context, changes)| {
            let mut fields = request("GET", PATH, changes.map(token).as_deref());
            fields[2] = field(":authority", "shadow.internal");
            host.state_mut().headers = fields;
            let mut stream = root.stream(ContextId(context));
            assert_eq!(stream.on_request_headers(true), Flow::Continue);
            stream
        })
        .collect();
    let mut previous = 10;
    for (seconds, expected) in [(30, &[][..]), (59, &[]), (60, &[10, 11, 12]), (70, &[10, 11, 12])] {
        host.state_mut().now = NOW + seconds;
        // Of nothing new; it keeps fresh.
        let as_of_ms = (NOW + seconds) * 1000;
        let beat = proto::v1::Delta { as_of_ms, ..delta(previous, seconds, &[], &[]) };
        previous = seconds;
        hear(&host, &mut root, 1, encode(beat));
        tick_at(&host, &mut root, seconds);
        assert_eq!(ended(&host), expected, "{seconds}");
    }
    let codes: Vec<_> = host.state().responses.iter().map(|response| response.code()).collect();
    assert_eq!(codes, ["revoked", "expired", "missing_token"]);
    for code in ["revoked", "expired", "missing_token"] {
        assert_eq!(host.metric(&format!("writ.ended.{code}")), 1, "{code}");
    }
}

#[test]
fn whoever_has_gone_is_not_ended() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    drop(open(&host, &root, 10, json!({})));
    let _gone = open(&host, &root, 11, json!({}));
    host.state_mut().gone.insert(11);
    // Its place is another's now.
    let _stays = open(&host, &root, 12, of_task("task-2"));
    drop(open(&host, &root, 13, json!({})));
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    assert!(ended(&host).is_empty());
    assert_eq!(host.metric("writ.ended.revoked"), 0);
}

#[test]
fn a_crowd_is_ended_in_parts() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let mut crowd: Vec<_> = (10..90).map(|context| open(&host, &root, context, json!({}))).collect();
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    assert_eq!((ended(&host).len(), host.state().tick), (32, Some(10)));
    // One that ends by itself leaves its place to another, which is not the one that was to end; and it is not ended
    // once more, even where the host still knows it.
    drop(crowd.pop());
    let _young = open(&host, &root, 500, of_task("task-2"));
    root.on_tick();
    root.on_tick();
    assert_eq!(ended(&host), (10..89).collect::<Vec<_>>());
    assert_eq!(host.state().tick, Some(1_000));

    let host = FakeHost::new();
    let mut root = configured(&host);
    let _crowd: Vec<_> = (10..50).map(|context| open(&host, &root, context, json!({}))).collect();
    tick_at(&host, &mut root, 300);
    assert_eq!((ended(&host).len(), host.state().tick), (32, Some(10)));
    root.on_tick();
    assert_eq!((ended(&host).len(), host.state().tick), (40, Some(1_000)));
}

#[test]
fn a_request_that_waited_for_the_snapshot_is_no_exception() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let mut streams: Vec<_> = [10, 11, 12]
        .into_iter()
        .map(|context| {
            host.state_mut().headers = request("GET", PATH, Some(&token(json!({}))));
            let mut stream = root.stream(ContextId(context));
            assert_eq!(stream.on_request_headers(true), Flow::Pause);
            stream
        })
        .collect();
    // This host has one set of header fields for all: the first one's permit takes the token out.
    for piece in pieces(5, 1, |_| {}) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(host.state().resumed, [10]);
    host.state_mut().answered.clear();
    // Whether its own callbacks have learned of it or not.
    assert_eq!(streams[0].on_request_body(0, true), Flow::Continue);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    assert_eq!(ended(&host), [10]);
}

#[test]
fn an_end_is_reported_with_its_reason() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    host.state_mut().nanos = 123_456_789;
    let _stream = open(&host, &root, 10, json!({}));
    host.state_mut().nanos = 234_567_890;
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    root.on_tick();
    let reports: Vec<_> = crate::feed::said(&host, 1)
        .into_iter()
        .filter_map(|message| match message {
            proto::v1::watch_request::Message::Report(report) => Some(report),
            _ => None,
        })
        .collect();
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    let told: Vec<(&str, &str)> =
        report.decisions.iter().map(|told| (told.verdict.as_str(), told.task.as_str())).collect();
    assert_eq!(told, [("allow", TASK), ("allow", TASK), ("revoked", TASK)]);
    let when: Vec<_> = report.decisions[1..].iter().map(|told| (told.at, told.millis)).collect();
    assert_eq!(when, [(NOW, 123), (NOW, 234)]);
    assert_eq!(report.decided, 2, "an end is no further request");
}

#[test]
fn strangers_are_reported_by_code_and_listed_host() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    for authority in ["logs.internal", "LOGS.internal.:80", "elsewhere.internal", "not a host"] {
        let mut fields = request("GET", PATH, None);
        fields[2] = field(":authority", authority);
        host.state_mut().headers = fields;
        assert_eq!(root.stream(ContextId(10)).on_request_headers(true), Flow::Pause);
    }
    root.on_tick();
    let Some(proto::v1::watch_request::Message::Report(report)) = crate::feed::said(&host, 1).pop() else {
        panic!("a report")
    };
    let told: Vec<(&str, &str, u64)> = report
        .refused
        .iter()
        .map(|refused| (refused.code.as_str(), refused.host.as_str(), refused.count))
        .collect();
    assert_eq!(told, [("missing_token", "logs.internal", 2), ("missing_token", "", 2)]);
    assert_eq!((report.decided, report.decisions.len()), (5, 1));
}

#[test]
fn without_ticks_a_configuration_is_refused() {
    let host = FakeHost::new();
    host.state_mut().failing.insert("set_tick_period");
    assert!(!Root::new(host, ROOT).configure(&configuration(&snapshot())));
}
