//! Limited grants: a server counts each use before the request goes on, and nothing goes on without its word.

use prost::Message as _;
use proto::v1::{UseRequest, UseResponse, use_response::Outcome};
use serde_json::json;
use verdict::revocation::Kind;
use wasm_filter::{
    call::{MAX_CALLS, TIMEOUT},
    feed::wire::{Fields, Value},
    host::{CallId, ContextId},
    root::Root,
    stream::{self, Flow, Stream},
};

use crate::{
    deltas::{delta, encode, hash},
    fake::{Called, FakeHost},
    feed::{at_five, fed, hear, heartbeat, pieces},
    fixture::{NOW, ROOT, TASK, configured, field, request, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";

/// What happens while a request waits.
type Change = fn(&FakeHost, &mut Root<FakeHost>);

/// A token whose one grant may be used once.
fn limited() -> String {
    token(json!({"authorization_details": [grant("g1")]}))
}

fn grant(id: &str) -> serde_json::Value {
    json!({"type": "task_grant", "id": id, "actions": ["s3:GetObject", "s3:PutObject"],
           "resources": ["s3://my-bucket/logs/2026-05/**"], "limits": {"uses": 1}})
}

/// A request in a context of its own, its header fields told.
fn begin(host: &FakeHost, root: &Root<FakeHost>, context: u32, token: &str) -> (Stream<FakeHost>, Flow) {
    host.state_mut().headers = request("GET", PATH, Some(token));
    let mut stream = root.stream(ContextId(context));
    let flow = stream.on_request_headers(true);
    (stream, flow)
}

fn calls(host: &FakeHost) -> Vec<Called> {
    host.state().called.clone()
}

fn answer(host: &FakeHost, call: u32, outcome: Outcome) {
    let response = UseResponse { outcome: outcome.into(), left: 0 }.encode_to_vec();
    reply(host, call, 0, response);
}

fn reply(host: &FakeHost, call: u32, status: u32, message: Vec<u8>) {
    let size = message.len();
    host.state_mut().message = message;
    stream::on_answer(host, CallId(call), status, size);
}

#[test]
fn a_counted_use_goes_on_and_only_then() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let token = limited();
    let (mut stream, flow) = begin(&host, &root, 10, &token);
    assert_eq!(flow, Flow::Pause);
    assert!(host.state().responses.is_empty() && host.state().resumed.is_empty());
    assert_eq!(host.state().current, 10, "what follows is about the request again");

    let [call] = calls(&host).try_into().unwrap();
    assert_eq!(
        (call.context, call.method.as_str(), call.timeout),
        (ROOT.0, "writ.v1.DataPlane/Use", TIMEOUT)
    );
    assert_eq!(call.metadata.len(), 1, "it proves itself as the stream does");
    let asked = UseRequest::decode(call.message.as_slice()).unwrap();
    assert_eq!((asked.decision.len(), asked.token, asked.grant), (16, token.into_bytes(), 0));

    answer(&host, 1, Outcome::Counted);
    assert_eq!(host.state().resumed, [10]);
    assert_eq!(host.header("x-envoy-max-retries"), ["0"]);
    assert_eq!(host.header("x-writ-task"), [TASK]);
    assert!(host.header("authorization").is_empty());
    assert_eq!(stream.on_request_body(5, true), Flow::Continue);
    // Beside the request by which the snapshot was tried.
    assert_eq!(host.metric("writ.decisions.allow"), 2);
    assert_eq!(host.metric("writ.token_cache.miss") + host.metric("writ.token_cache.hit"), 2);
    // A second answer is nobody's.
    answer(&host, 1, Outcome::Exhausted);
    assert_eq!(host.state().resumed, [10]);
}

/// As `envoy.config.core.v3.GrpcService`: the feed's own, and when to ask once more.
#[test]
fn a_server_that_is_gone_is_no_answer_yet() {
    /// All fields of this number.
    fn fields(message: &[u8], wanted: u64) -> Vec<&[u8]> {
        let fields = Fields::of(message).map(|field| field.expect("a message"));
        let bytes = |(number, value)| match value {
            Value::Bytes(bytes) if number == wanted => Some(bytes),
            _ => None,
        };
        fields.filter_map(bytes).collect()
    }
    let host = FakeHost::new();
    let root = at_five(&host);
    let (_stream, _) = begin(&host, &root, 10, &limited());
    let upstream = calls(&host)[0].upstream.clone();
    let more = upstream.strip_prefix(host.state().opened[0].upstream.as_slice()).expect("the feed's");
    let [when, whom] = fields(more, 6).try_into().unwrap();
    assert_eq!(fields(when, 2), [[8, 2]]);
    assert_eq!(fields(when, 3), [b"connect-failure,refused-stream,reset,unavailable"]);
    let predicate = fields(fields(whom, 5)[0], 2)[0];
    assert!(fields(predicate, 1)[0].ends_with(b".PreviousHostsPredicate"));
    assert!(upstream.is_ascii(), "a text as long as each length is below 128");
}

#[test]
fn every_other_answer_denies() {
    let garbage = [vec![8, 0], vec![8, 7], vec![8], vec![10, 1, 1], Vec::new(), vec![255; 40]];
    let mut cases = vec![
        (0, UseResponse { outcome: Outcome::Exhausted.into(), left: 0 }.encode_to_vec(), "limit_exhausted"),
        (0, UseResponse { outcome: Outcome::Revoked.into(), left: 0 }.encode_to_vec(), "revoked"),
        (14, Vec::new(), "server_unavailable"),
        (4, Vec::new(), "server_unavailable"),
    ];
    cases.extend(garbage.map(|message| (0, message, "server_unavailable")));
    for (status, message, code) in cases {
        let host = FakeHost::new();
        let root = at_five(&host);
        let (mut stream, _) = begin(&host, &root, 10, &limited());
        reply(&host, 1, status, message);
        assert_eq!(host.response().code(), code);
        assert_eq!((host.state().answered.clone(), host.state().resumed.len()), (vec![10], 0));
        assert_eq!(stream.on_request_body(5, true), Flow::Pause);
        assert_eq!(host.metric(&format!("writ.decisions.{code}")), 1);
    }
}

#[test]
fn without_a_limit_nobody_is_asked() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let (_stream, flow) = begin(&host, &root, 10, &token(json!({})));
    assert_eq!(flow, Flow::Continue);
    // Nor where another grant has none.
    let mut free = grant("g2");
    free.as_object_mut().unwrap().remove("limits");
    let both = token(json!({"authorization_details": [grant("g1"), free], "jti": "token-2"}));
    let (_stream, flow) = begin(&host, &root, 11, &both);
    assert_eq!(flow, Flow::Continue);
    assert!(calls(&host).is_empty());
    assert!(host.header("x-envoy-max-retries").is_empty());
}

#[test]
fn decisions_have_names_of_their_own() {
    let mut names = Vec::new();
    for worker in 0..3_u32 {
        let host = FakeHost::new();
        // Workers of one Envoy that begin at the same nanosecond.
        let workers = (u64::from(worker).to_le_bytes().to_vec(), worker + 1);
        host.state_mut().shared.insert("writ.workers".into(), workers);
        let root = at_five(&host);
        for context in 10..15 {
            let (stream, _) = begin(&host, &root, context, &limited());
            drop(stream);
        }
        let called = calls(&host);
        names.extend(called.iter().map(|call| UseRequest::decode(call.message.as_slice()).unwrap().decision));
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), all), (15, 15));
}

#[test]
fn what_changed_meanwhile_counts() {
    let changes: [(Change, &str); 4] = [
        (|host, root| hear(host, root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[]))), "revoked"),
        (
            |host, root| {
                for piece in pieces(6, 1, |document| document["hosts"] = json!([])) {
                    hear(host, root, 1, piece);
                }
            },
            "no_route",
        ),
        (|host, _| host.state_mut().now = NOW + 31, "stale_snapshot"),
        (
            |host, _| host.state_mut().headers[3] = field(":path", "/my-bucket/logs/2026-06/a.log"),
            "not_granted",
        ),
    ];
    for (change, code) in changes {
        let host = FakeHost::new();
        let mut root = at_five(&host);
        let (_stream, _) = begin(&host, &root, 10, &limited());
        change(&host, &mut root);
        answer(&host, 1, Outcome::Counted);
        assert_eq!(host.response().code(), code);
        assert!(host.state().resumed.is_empty());
    }
}

#[test]
fn a_use_of_one_grant_is_none_of_another() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let mut other = grant("g2");
    other["actions"] = json!(["s3:PutObject"]);
    let mut first = grant("g1");
    first["actions"] = json!(["s3:GetObject"]);
    let token = token(json!({"authorization_details": [first, other]}));
    let (_stream, _) = begin(&host, &root, 10, &token);
    host.state_mut().headers[0] = field(":method", "PUT");
    answer(&host, 1, Outcome::Counted);
    assert_ne!(host.state().answered, Vec::<u32>::new());
    assert!(host.state().resumed.is_empty());
}

#[test]
fn a_request_that_has_gone_is_answered_by_nobody() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let (stream, _) = begin(&host, &root, 10, &limited());
    drop(stream);
    host.state_mut().gone.insert(10);
    answer(&host, 1, Outcome::Counted);
    assert!(host.state().resumed.is_empty() && host.state().answered.is_empty());
    assert_eq!(host.metric("writ.decisions.allow"), 1, "the one by which the snapshot was tried");
}

#[test]
fn so_many_wait_and_no_more() {
    let host = FakeHost::new();
    let root = at_five(&host);
    let token = limited();
    let begin = |context| begin(&host, &root, context, &token);
    let most = u32::try_from(MAX_CALLS).unwrap();
    let mut waiting: Vec<_> = (0..most).map(|number| begin(10 + number).0).collect();
    assert!(host.state().responses.is_empty());
    let (_over, flow) = begin(5);
    assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"));
    assert_eq!(host.state().answered, [5]);
    // Whoever goes makes room, and so does an answer.
    waiting.pop();
    let (_next, _) = begin(6);
    answer(&host, 1, Outcome::Counted);
    let (_last, _) = begin(7);
    assert_eq!(host.state().answered, [5]);
}

#[test]
fn without_a_server_a_limited_grant_is_denied() {
    let host = FakeHost::new();
    let root = configured(&host);
    let (_stream, flow) = begin(&host, &root, 10, &limited());
    assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"));
    // And where the proxy does not call.
    for failing in ["call", "clock", "shared", "share", "now"] {
        let host = FakeHost::new();
        let root = at_five(&host);
        host.state_mut().failing.insert(failing);
        let (_stream, flow) = begin(&host, &root, 10, &limited());
        assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"), "{failing}");
    }
}

#[test]
fn an_answer_that_was_lost_is_none() {
    let host = FakeHost::new();
    let mut root = at_five(&host);
    let (_stream, _) = begin(&host, &root, 10, &limited());
    for (seconds, denied) in [(2, false), (3, true)] {
        host.state_mut().now = NOW + seconds;
        hear(&host, &mut root, 1, heartbeat(5, (NOW + seconds) * 1000));
        root.on_tick();
        assert_eq!(!host.state().answered.is_empty(), denied, "{seconds}");
    }
    assert_eq!(host.response().code(), "server_unavailable");
    assert!([0, ROOT.0].contains(&host.state().current), "back in the root's context");
}

#[test]
fn who_waited_for_a_snapshot_waits_for_the_use_then() {
    let host = FakeHost::new();
    let mut root = fed(&host, ROOT);
    let (mut stream, flow) = begin(&host, &root, 10, &limited());
    assert_eq!((flow, calls(&host).len()), (Flow::Pause, 0));
    for piece in pieces(5, 1, |_| {}) {
        hear(&host, &mut root, 1, piece);
    }
    assert_eq!(calls(&host).len(), 1);
    assert!(host.state().resumed.is_empty());
    assert_eq!(stream.on_request_trailers(), Flow::Pause);
    answer(&host, 1, Outcome::Counted);
    assert_eq!(host.state().resumed, [10]);
    assert_eq!(stream.on_request_trailers(), Flow::Continue);
}

#[test]
fn in_shadow_an_exhausted_grant_is_recorded() {
    for (outcome, set) in [(Outcome::Counted, true), (Outcome::Exhausted, false)] {
        let host = FakeHost::new();
        let root = at_five(&host);
        let mut fields = request("GET", PATH, Some(&limited()));
        fields[2] = field(":authority", "shadow.internal");
        host.state_mut().headers = fields;
        let mut stream = root.stream(ContextId(10));
        assert_eq!(stream.on_request_headers(true), Flow::Pause);
        answer(&host, 1, outcome);
        assert_eq!(host.state().resumed, [10]);
        assert_eq!(!host.header("x-writ-task").is_empty(), set);
        assert_eq!(host.metric("writ.shadow.limit_exhausted"), u64::from(!set));
        assert!(host.header("authorization").is_empty());
    }
}
