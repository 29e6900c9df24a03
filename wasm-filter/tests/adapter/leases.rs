//! Services' own credentials: leased once, kept for a while, sent where they may go, and hidden in what comes back.

use prost::Message as _;
use proto::v1::{LeaseRequest, LeaseResponse};
use serde_json::{Value, json};
use verdict::revocation::Kind;
use wasm_filter::{
    host::{CallId, ContextId, ResponsePart},
    lease::{MAX_WAITING, RETRY},
    open::TICK_UNSETTLED,
    root::Root,
    stream::{self, CLUSTER_PROPERTY, Flow, Stream},
};

use crate::{
    deltas::{delta, encode, hash},
    fake::FakeHost,
    feed::{fed, hear, heartbeat, pieces},
    fixture::{ROOT, TASK, configuration, field, request, snapshot, token},
};

const PATH: &str = "/my-bucket/logs/2026-05/a.log";
const NAME: &str = "logs/minio";
const KEY: &str = "k3y-of-the-bucket";
const LEASE_MS: u32 = 2_000;

fn with_credential(document: &mut Value) {
    let credential = json!({"name": NAME, "clusters": ["minio"], "header": "authorization"});
    document["requires"] = json!(["credentials"]);
    for host in document["hosts"].as_array_mut().unwrap() {
        host["credential"] = credential.clone();
    }
}

/// A root whose hosts send a credential; routes lead to the cluster `minio`.
fn lending(host: &FakeHost) -> Root<FakeHost> {
    host.state_mut().attributes.insert("xds.cluster_name".into(), b"minio".to_vec());
    let mut root = fed(host, ROOT);
    for piece in pieces(5, 1, with_credential) {
        hear(host, &mut root, 1, piece);
    }
    root
}

fn begin_with(
    host: &FakeHost,
    root: &mut Root<FakeHost>,
    context: u32,
    fields: Vec<(String, Vec<u8>)>,
) -> (Stream<FakeHost>, Flow) {
    let mut state = host.state_mut();
    (state.headers, state.current) = (fields, context);
    drop(state);
    let mut stream = root.stream(ContextId(context));
    let flow = stream.on_request_headers(true);
    // Somebody hastens the next tick, which asks.
    if host.state().tick == Some(TICK_UNSETTLED) {
        root.on_tick();
        host.state_mut().current = context;
    }
    (stream, flow)
}

/// A granted request in a context of its own.
fn begin(host: &FakeHost, root: &mut Root<FakeHost>, context: u32) -> (Stream<FakeHost>, Flow) {
    begin_with(host, root, context, request("GET", PATH, Some(&token(json!({})))))
}

fn lease() -> LeaseResponse {
    LeaseResponse {
        header: "authorization".into(),
        value: format!("Bearer {KEY}").into_bytes(),
        masked: vec![KEY.into()],
        lease_ms: LEASE_MS,
    }
}

fn reply(host: &FakeHost, call: u32, status: u32, message: &[u8]) {
    host.state_mut().message = message.to_vec();
    stream::on_answer(host, CallId(call), status, message.len());
}

fn grant(host: &FakeHost, call: u32) {
    reply(host, call, 0, &lease().encode_to_vec());
}

fn asked(host: &FakeHost) -> usize {
    host.state().called.len()
}

/// Lets so many milliseconds pass, with ticks of 100 and a server that is there.
fn pass(host: &FakeHost, root: &mut Root<FakeHost>, milliseconds: u64) {
    for _ in 0..milliseconds / 100 {
        let now = {
            let mut state = host.state_mut();
            state.nanos += 100_000_000;
            state.now * 1000 + state.nanos / 1_000_000
        };
        hear(host, root, 1, heartbeat(5, now));
        root.on_tick();
    }
}

#[test]
fn it_is_asked_for_once_and_then_taken_from_memory() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let waiting: Vec<_> = (10..15).map(|context| begin(&host, &mut root, context)).collect();
    assert!(waiting.iter().all(|(_, flow)| *flow == Flow::Pause));
    assert_eq!(host.state().current, 14, "what follows is about the request again");
    {
        let state = host.state();
        let [call] = state.called.as_slice() else { panic!("{:?}", state.called) };
        assert_eq!((call.context, call.method.as_str()), (ROOT.0, "writ.v1.DataPlane/Lease"));
        assert_eq!(LeaseRequest::decode(call.message.as_slice()).unwrap().credential, NAME);
    }
    grant(&host, 1);
    // All have gone on, the first with what was granted: in the proxy each has fields of its own.
    assert_eq!((host.state().resumed.clone(), host.state().answered.len()), (vec![10], 4));
    assert_eq!(host.header("authorization"), [format!("Bearer {KEY}")]);
    assert_eq!(host.state().properties[CLUSTER_PROPERTY], "minio");

    for context in 20..30 {
        let (_stream, flow) = begin(&host, &mut root, context);
        assert_eq!((flow, host.header("authorization")), (Flow::Continue, vec![format!("Bearer {KEY}")]));
    }
    assert_eq!(asked(&host), 1, "warm requests take no hop");
    assert_eq!(host.metric("writ.leases.granted"), 1);
}

/// The SDK gives an answer to whoever's callback made the call, and drops it if that request has gone.
#[test]
fn who_asked_first_may_go_without_the_others_waiting_in_vain() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let fields = request("GET", PATH, Some(&token(json!({}))));
    for context in [10, 11] {
        host.state_mut().headers.clone_from(&fields);
        let mut stream = root.stream(ContextId(context));
        assert_eq!(stream.on_request_headers(true), Flow::Pause);
        assert_eq!(asked(&host), 0, "not in a callback of a request");
        if context == 10 {
            drop(stream);
            host.state_mut().gone.insert(10);
        } else {
            root.on_tick();
            assert_eq!(asked(&host), 1);
            grant(&host, 1);
            assert_eq!(host.state().resumed, [11]);
            assert_eq!(stream.on_request_trailers(), Flow::Continue);
        }
    }
}

#[test]
fn what_a_client_sends_in_its_place_does_not_go_on() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    for piece in pieces(6, 1, |document| {
        with_credential(document);
        document["hosts"][0]["credential"]["header"] = json!("x-api-key");
    }) {
        hear(&host, &mut root, 1, piece);
    }
    let mut fields = request("GET", PATH, Some(&token(json!({}))));
    fields.extend([field("x-api-key", "forged"), field("x.api.key", "forged"), field("x-api-key", "forged")]);
    let (_stream, _) = begin_with(&host, &mut root, 10, fields);
    let answer = LeaseResponse { header: "x-api-key".into(), value: KEY.into(), ..lease() };
    reply(&host, 1, 0, &answer.encode_to_vec());
    assert_eq!(host.header("x-api-key"), [KEY]);
    assert!(host.header("x.api.key").is_empty() && host.header("authorization").is_empty());
}

#[test]
fn it_goes_to_no_other_cluster() {
    for (cluster, code) in [
        (Some(&b"evil"[..]), "no_route"),
        (Some(b"minio2"), "no_route"),
        (Some(b"\xff"), "server_unavailable"),
        (None, "server_unavailable"),
    ] {
        let host = FakeHost::new();
        let mut root = lending(&host);
        let (_first, _) = begin(&host, &mut root, 10);
        grant(&host, 1);
        host.state_mut().attributes.remove("xds.cluster_name");
        if let Some(cluster) = cluster {
            host.state_mut().attributes.insert("xds.cluster_name".into(), cluster.to_vec());
        }
        let (_stream, flow) = begin(&host, &mut root, 11);
        assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, code));
        assert!(!host.header("authorization").concat().contains(KEY));
    }
}

#[test]
fn no_stranger_gets_it() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (_first, _) = begin(&host, &mut root, 10);
    grant(&host, 1);
    for authority in ["logs.internal", "shadow.internal"] {
        for path in [PATH, "/live", "/other/x"] {
            let mut fields = request("GET", path, None);
            fields[2] = field(":authority", authority);
            let _ = begin_with(&host, &mut root, 11, fields);
            assert!(host.header("authorization").is_empty(), "{authority}{path}");
        }
    }
    // In shadow a grant that cannot be lent goes on without it, and without its token.
    host.state_mut().attributes.insert("xds.cluster_name".into(), b"evil".to_vec());
    let mut fields = request("GET", PATH, Some(&token(json!({}))));
    fields[2] = field(":authority", "shadow.internal");
    let (_stream, flow) = begin_with(&host, &mut root, 12, fields);
    assert_eq!((flow, host.header("authorization")), (Flow::Continue, Vec::<String>::new()));
    assert_eq!(host.metric("writ.shadow.no_route"), 1);
    assert_eq!(asked(&host), 1);
}

#[test]
fn every_other_answer_denies_and_is_not_asked_for_at_once() {
    let other = |change: fn(&mut LeaseResponse)| {
        let mut answer = lease();
        change(&mut answer);
        answer.encode_to_vec()
    };
    for (status, message) in [
        (7, Vec::new()),
        (14, Vec::new()),
        (0, Vec::new()),
        (0, vec![255; 40]),
        (0, other(|answer| answer.header = "x-api-key".into())),
        (0, other(|answer| answer.value = b"Bearer a\nx: b".to_vec())),
        (0, other(|answer| answer.value = b"Bearer \xc3\xa9".to_vec())),
        (0, other(|answer| answer.value.clear())),
        (0, other(|answer| answer.lease_ms = 0)),
        (0, other(|answer| answer.masked = vec![b"secret".to_vec(); 9])),
    ] {
        let host = FakeHost::new();
        let mut root = lending(&host);
        let (_stream, _) = begin(&host, &mut root, 10);
        reply(&host, 1, status, &message);
        assert_eq!(host.response().code(), "server_unavailable", "{message:?}");
        assert!(host.state().resumed.is_empty());
        let (_stream, flow) = begin(&host, &mut root, 11);
        assert_eq!((flow, asked(&host)), (Flow::Pause, 1));
        // A moment later it is tried again.
        pass(&host, &mut root, RETRY);
        let (_stream, _) = begin(&host, &mut root, 12);
        assert_eq!(asked(&host), 2);
        grant(&host, 2);
        assert_eq!(host.state().resumed, [12]);
        assert_eq!(host.metric("writ.leases.refused"), 1);
    }
}

#[test]
fn it_is_renewed_ahead_while_it_is_used_and_forgotten_when_it_ends() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (_stream, _) = begin(&host, &mut root, 10);
    grant(&host, 1);
    pass(&host, &mut root, u64::from(LEASE_MS) / 2);
    assert_eq!(asked(&host), 2, "ahead of its end");
    assert_eq!(host.state().current, ROOT.0);
    // Meanwhile the one that is here will do.
    let (_stream, flow) = begin(&host, &mut root, 11);
    assert_eq!(flow, Flow::Continue);
    let renewed = LeaseResponse { value: b"Bearer another-k3y".to_vec(), ..lease() };
    reply(&host, 2, 0, &renewed.encode_to_vec());
    // Nobody has used that one: it ends.
    pass(&host, &mut root, u64::from(LEASE_MS));
    assert_eq!(asked(&host), 2);
    let (_stream, flow) = begin(&host, &mut root, 12);
    assert_eq!((flow, asked(&host)), (Flow::Pause, 3));
    reply(&host, 3, 0, &renewed.encode_to_vec());
    assert_eq!(host.header("authorization"), ["Bearer another-k3y"]);
}

#[test]
fn a_policy_that_changes_takes_it_along() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (_stream, _) = begin(&host, &mut root, 10);
    grant(&host, 1);
    for piece in pieces(6, 1, with_credential) {
        hear(&host, &mut root, 1, piece);
    }
    let (_stream, flow) = begin(&host, &mut root, 11);
    assert_eq!((flow, asked(&host)), (Flow::Pause, 2));
    // What was asked for under the old policy is not kept under the next.
    for piece in pieces(7, 1, with_credential) {
        hear(&host, &mut root, 1, piece);
    }
    grant(&host, 2);
    assert!(!host.state().resumed.contains(&11));
    assert_eq!(host.response().code(), "server_unavailable");
}

#[test]
fn what_is_revoked_meanwhile_gets_none() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (_stream, _) = begin(&host, &mut root, 10);
    hear(&host, &mut root, 1, encode(delta(9, 10, &[hash(Kind::Task, TASK)], &[])));
    grant(&host, 1);
    assert_eq!(host.response().code(), "revoked");
    assert!(!host.header("authorization").concat().contains(KEY));
}

#[test]
fn it_is_hidden_in_what_comes_back() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (mut stream, _) = begin(&host, &mut root, 10);
    grant(&host, 1);
    let plain = vec![field(":status", "200"), field("server", "minio")];
    for part in [ResponsePart::Headers, ResponsePart::Trailers] {
        host.state_mut().response_fields = [
            plain.clone(),
            vec![
                field("x-echo", format!("Bearer {KEY}, {KEY}{KEY}")),
                field("x-echo", "nothing"),
                field(&format!("x-{KEY}"), "in a name"),
                field("set-cookie", format!("k={KEY}; path=/")),
            ],
        ]
        .concat();
        assert_eq!(stream.on_response(part), Flow::Continue);
        let masked = [
            plain.clone(),
            vec![
                field("x-echo", "Bearer ***, ******"),
                field("x-echo", "nothing"),
                field("set-cookie", "k=***; path=/"),
            ],
        ]
        .concat();
        assert_eq!(host.state().response_fields, masked);
        assert_eq!(stream.on_response(part), Flow::Continue);
        assert_eq!(host.state().response_fields, masked, "and again changes nothing");
    }
    assert_eq!(host.metric("writ.responses.masked"), 2);
}

#[test]
fn an_answer_that_cannot_be_cleaned_is_withheld() {
    for failing in ["response_fields", "set_response_fields"] {
        let host = FakeHost::new();
        let mut root = lending(&host);
        let (mut stream, _) = begin(&host, &mut root, 10);
        grant(&host, 1);
        host.state_mut().response_fields = vec![field("x-echo", KEY)];
        host.state_mut().failing.insert(failing);
        assert_eq!(stream.on_response(ResponsePart::Headers), Flow::Pause, "{failing}");
        assert_eq!(host.response().code(), "server_unavailable");
    }
}

#[test]
fn requests_without_one_are_not_looked_at_on_their_way_back() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let mut fields = request("GET", "/live", None);
    fields[2] = field(":authority", "logs.internal");
    let (mut stream, flow) = begin_with(&host, &mut root, 10, fields);
    assert_eq!(flow, Flow::Continue);
    host.state_mut().failing.insert("response_fields");
    assert_eq!(stream.on_response(ResponsePart::Headers), Flow::Continue);
    let mut fresh = root.stream(ContextId(11));
    assert_eq!(fresh.on_response(ResponsePart::Headers), Flow::Continue);
}

#[test]
fn so_many_wait_and_all_of_them_go_on() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let most = u32::try_from(MAX_WAITING).unwrap();
    let waiting: Vec<_> = (0..most).map(|number| begin(&host, &mut root, 10 + number)).collect();
    assert!(host.state().responses.is_empty());
    let (_over, flow) = begin(&host, &mut root, 5);
    assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"));
    host.state_mut().responses.clear();
    // Those who have gone hold nobody up.
    drop(waiting);
    host.state_mut().gone.insert(11);
    let again = request("GET", PATH, Some(&token(json!({}))));
    host.state_mut().headers.clone_from(&again);
    grant(&host, 1);
    let settled = host.state().answered.len() + host.state().resumed.len();
    assert!(settled <= 33, "only so many in one callback: {settled}");
    for _ in 0..60 {
        // In the proxy each has fields of its own.
        host.state_mut().headers.clone_from(&again);
        pass(&host, &mut root, 100);
    }
    let state = host.state();
    assert_eq!(
        state.answered.len() + state.resumed.len(),
        MAX_WAITING,
        "all but the one that has gone, and the one over"
    );
}

#[test]
fn without_a_server_there_is_none() {
    let host = FakeHost::new();
    host.state_mut().attributes.insert("xds.cluster_name".into(), b"minio".to_vec());
    let mut document = snapshot();
    with_credential(&mut document);
    let mut root = Root::new(host.clone(), ROOT);
    assert!(root.configure(&configuration(&document)), "{:?}", host.state().log);
    // Nor does a later one wait for what nobody asks for.
    for context in 10..13 {
        host.state_mut().responses.clear();
        let (_stream, flow) = begin(&host, &mut root, context);
        assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"));
    }
}

#[test]
fn a_proxy_that_fails_lends_nothing() {
    for failing in ["set_property", "set_request_header", "property"] {
        let host = FakeHost::new();
        let mut root = lending(&host);
        let (_first, _) = begin(&host, &mut root, 9);
        grant(&host, 1);
        host.state_mut().failing.insert(failing);
        let (_stream, flow) = begin(&host, &mut root, 10);
        assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"), "{failing}");
    }
    let host = FakeHost::new();
    let mut root = lending(&host);
    host.state_mut().failing.insert("call");
    let (_stream, flow) = begin(&host, &mut root, 10);
    assert_eq!((flow, host.response().code().as_str()), (Flow::Pause, "server_unavailable"));
}

#[test]
fn nobody_reads_it_in_a_log() {
    let host = FakeHost::new();
    let mut root = lending(&host);
    let (stream, _) = begin(&host, &mut root, 10);
    grant(&host, 1);
    assert!(!format!("{stream:?} {root:?}").contains(KEY));
    let state = host.state();
    assert!(state.log.iter().all(|(_, line)| !line.contains(KEY)));
    assert!(state.properties.values().all(|value| !value.contains(KEY)));
    assert!(
        state
            .shared
            .values()
            .all(|(value, _)| !value.windows(KEY.len()).any(|window| window == KEY.as_bytes()))
    );
}
