//! Callbacks in any order, with any bytes, on a host where any call may fail.

use proptest::{collection::vec, prelude::*, sample::select};
use prost::Message as _;
use proto::v1;
use serde_json::json;
use verdict::revocation::Kind;
use wasm_filter::{
    host::{ContextId, StreamId},
    root::Root,
    stream::Flow,
};

use crate::{
    deltas::{self, delta, hash},
    fake::FakeHost,
    feed::{fed, feed_configuration, heartbeat, pieces},
    fixture::{NOW, ROOT, configured, field, request, stream, token},
};

#[derive(Clone, Debug)]
enum FeedCallback {
    Begin,
    Request(usize, Callback),
    Reset(usize),
    Tick(u64),
    Message(u32, Vec<u8>, usize),
    Close(u32, u32),
    Reconfigure(bool),
}

#[derive(Clone, Debug)]
enum Callback {
    Headers(bool),
    Body(usize, bool),
    Trailers,
}

fn callback() -> impl Strategy<Value = Callback> {
    prop_oneof![
        any::<bool>().prop_map(Callback::Headers),
        (prop_oneof![Just(0), any::<usize>()], any::<bool>())
            .prop_map(|(size, end)| Callback::Body(size, end)),
        Just(Callback::Trailers),
    ]
}

fn fields() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = select(vec![
        ":method",
        ":path",
        ":authority",
        "host",
        "authorization",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "upgrade",
        "cookie",
        "x-writ-task",
        "x_writ_task",
        "x-request-id",
        "dpop",
        "x-\u{e9}",
        "",
    ]);
    let value = prop_oneof![
        vec(any::<u8>(), 0..40),
        select(vec![
            &b"GET"[..],
            b"/live",
            b"logs.internal",
            b"0",
            b"5",
            b"upgrade",
            b"websocket",
            b"Bearer a.b.c"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    vec((names.prop_map(String::from), value), 0..8)
}

/// Well-formed requests of both kinds, or noise, or one with noise added.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let granted = request("GET", "/my-bucket/logs/2026-05/a.log", Some(&token(json!({}))));
    let written = request("PUT", "/my-bucket/logs/2026-05/a.log", Some(&token(json!({}))));
    let mut read = request("POST", "/my-bucket/logs/2026-05/a.log", Some(&token(json!({}))));
    read.push(field("content-type", "application/json"));
    let denied = request("GET", "/my-bucket/logs/2026-06/a.log", Some(&token(json!({}))));
    prop_oneof![
        fields(),
        (select(vec![granted, written, read, denied]), prop_oneof![Just(Vec::new()), fields()])
            .prop_map(|(request, noise)| [request, noise].concat()),
    ]
}

fn failing() -> impl Strategy<Value = Vec<&'static str>> {
    let calls = vec![
        "request_headers",
        "request_body",
        "now",
        "property",
        "set_property",
        "remove_request_header",
        "set_request_header",
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(select(calls), 1..3)]
}

/// So much of a body has come; what fits its rule is good JSON.
fn come(host: &FakeHost, size: usize) {
    let mut body = b"[]".to_vec();
    body.resize(size.min(5_000), b' ');
    host.state_mut().body = body;
}

proptest! {
    #[test]
    fn nothing_goes_on_without_an_allow(
        headers in headers(),
        callbacks in vec(callback(), 1..8),
        failing in failing(),
        configured_root in prop::bool::weighted(0.9),
    ) {
        let host = FakeHost::new();
        let root = if configured_root { configured(&host) } else { Root::new(host.clone(), ROOT) };
        let allowed = || if configured_root {
            host.metric("writ.decisions.allow") + host.metric("writ.decisions.exempt")
        } else {
            0
        };
        let mut stream = stream(&host, &root, headers);
        host.state_mut().failing.extend(failing);

        for callback in callbacks {
            let flow = match callback {
                Callback::Headers(end) => stream.on_request_headers(end),
                Callback::Body(size, end) => {
                    come(&host, size);
                    stream.on_request_body(size, end)
                }
                Callback::Trailers => stream.on_request_trailers(),
            };
            let answers = host.state().responses.len();
            prop_assert!(answers <= 1, "one request, one response");
            prop_assert!(flow == Flow::Pause || allowed() == 1, "{flow:?} without an allow");
            prop_assert!(flow == Flow::Pause || answers == 0, "{flow:?} after an answer");
        }
        prop_assert!(allowed() <= 1, "judged once");
    }

    #[test]
    fn a_continued_request_has_one_identity(headers in headers()) {
        let host = FakeHost::new();
        let root = configured(&host);
        let mut noisy = headers;
        noisy.push(field("x-writ-client", "forged"));
        let exempt = host.metric("writ.decisions.exempt");
        if stream(&host, &root, noisy).on_request_headers(true) == Flow::Continue {
            let clients = host.header("x-writ-client");
            if host.metric("writ.decisions.exempt") > exempt {
                prop_assert!(clients.is_empty());
            } else {
                prop_assert_eq!(clients, vec!["orchestrator".to_owned()]);
            }
        }
    }
}

/// Messages of a feed: pieces of several snapshots in any order, deltas, heartbeats, farewells, noise.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<Vec<u8>> = [(4, 1), (5, 1), (5, 3), (6, 2)]
        .into_iter()
        .flat_map(|(generation, chunks)| pieces(generation, chunks, |_| {}))
        .collect();
    let closed = pieces_closed();
    prop_oneof![
        4 => select(pieces),
        1 => Just(closed),
        2 => (3..8_u64, prop_oneof![Just(NOW * 1000), any::<u64>()]).prop_map(|(generation, as_of)| heartbeat(generation, as_of)),
        1 => any::<u32>().prop_map(|delay| {
            let go_away = v1::GoAway { reconnect_ms: delay % 1_000, reason: "later".into() };
            v1::WatchResponse { message: Some(v1::watch_response::Message::GoAway(go_away)) }.encode_to_vec()
        }),
        3 => (8..12_u64, 8..12_u64, select(vec!["task-1", "task-2"]), any::<bool>()).prop_map(|(previous, next, task, lift)| {
            let hashes = [hash(Kind::Task, task)];
            let (revoked, lifted) = if lift { (&[][..], &hashes[..]) } else { (&hashes[..], &[][..]) };
            deltas::encode(delta(previous, next, revoked, lifted))
        }),
        1 => vec(any::<u8>(), 0..60),
    ]
}

/// A snapshot without hosts.
fn pieces_closed() -> Vec<u8> {
    pieces(7, 1, |document| document["hosts"] = json!([])).remove(0)
}

fn feed_callback() -> impl Strategy<Value = FeedCallback> {
    prop_oneof![
        2 => Just(FeedCallback::Begin),
        3 => (0..4_usize, callback()).prop_map(|(index, callback)| FeedCallback::Request(index, callback)),
        1 => (0..4_usize).prop_map(FeedCallback::Reset),
        3 => (0..3_000_u64).prop_map(FeedCallback::Tick),
        6 => (1..4_u32, message()).prop_map(|(stream, message)| {
            let size = message.len();
            FeedCallback::Message(stream, message, size)
        }),
        1 => (1..4_u32, any::<usize>()).prop_map(|(stream, size)| FeedCallback::Message(stream, Vec::new(), size)),
        1 => (1..4_u32, 0..17_u32).prop_map(|(stream, status)| FeedCallback::Close(stream, status)),
        1 => any::<bool>().prop_map(FeedCallback::Reconfigure),
    ]
}

fn failing_feed() -> impl Strategy<Value = Vec<&'static str>> {
    let calls = vec![
        "clock",
        "open_stream",
        "send",
        "message",
        "shared",
        "share",
        "enter",
        "resume_request",
        "set_tick_period",
        "request_headers",
        "now",
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(select(calls), 1..3)]
}

proptest! {
    #[test]
    fn no_feed_opens_anything(
        callbacks in vec(feed_callback(), 1..40),
        failing in failing_feed(),
        since in 0..40_usize,
    ) {
        let host = FakeHost::new();
        let mut root = fed(&host, ROOT);
        let mut old = Vec::new();
        let mut streams = Vec::new();
        let mut contexts = 10..;
        let headers = request("GET", "/my-bucket/logs/2026-05/a.log", Some(&token(json!({}))));
        let mut newest = 0;
        let mut continued = 0;
        for (index, callback) in callbacks.into_iter().enumerate() {
            if index == since {
                host.state_mut().failing.extend(&failing);
            }
            // Each request's own; the permit of another has edited them.
            host.state_mut().headers.clone_from(&headers);
            // A callback begins in the context that it is about.
            host.state_mut().current = 0;
            match callback {
                FeedCallback::Begin => {
                    let context = contexts.next().expect("contexts without end");
                    streams.push((root.stream(ContextId(context)), false));
                }
                FeedCallback::Request(at, callback) => {
                    let live = streams.len();
                    if let Some((stream, passed)) = streams.get_mut(at % live.max(1)) {
                        let flow = match callback {
                            Callback::Headers(end) => stream.on_request_headers(end),
                            Callback::Body(size, end) => stream.on_request_body(size, end),
                            Callback::Trailers => stream.on_request_trailers(),
                        };
                        if flow == Flow::Continue && !std::mem::replace(passed, true) {
                            continued += 1;
                        }
                    }
                }
                FeedCallback::Reset(at) => {
                    let live = streams.len();
                    if live > 0 {
                        streams.swap_remove(at % live);
                    }
                }
                FeedCallback::Tick(milliseconds) => {
                    host.state_mut().nanos += milliseconds * 1_000_000;
                    root.on_tick();
                }
                FeedCallback::Message(stream, message, size) => {
                    let size = size.max(message.len());
                    host.state_mut().message = message;
                    root.on_message(StreamId(stream), size);
                }
                FeedCallback::Close(stream, status) => root.on_close(StreamId(stream), status),
                FeedCallback::Reconfigure(keep) => {
                    let mut next = Root::new(host.clone(), ContextId(contexts.next().expect("contexts")));
                    if next.configure(&feed_configuration()) {
                        let previous = std::mem::replace(&mut root, next);
                        if keep {
                            old.push(previous);
                        }
                    }
                }
            }
            for previous in &mut old {
                previous.on_tick();
            }
            let generation = host.metric("writ.snapshot.generation");
            prop_assert!(generation >= newest, "back to {generation} from {newest}");
            newest = generation;
        }
        let state = host.state();
        let allowed = state.metrics().iter().find(|(name, _)| name == "writ.decisions.allow").map_or(0, |(_, n)| *n);
        prop_assert!(continued <= allowed, "{continued} went on, {allowed} were allowed");
        prop_assert!(state.resumed.len() as u64 <= allowed);
        let mut answered = state.answered.clone();
        answered.retain(|context| *context >= 10);
        let answers = answered.len();
        answered.sort_unstable();
        answered.dedup();
        prop_assert_eq!(answers, answered.len(), "answered from outside at most once");
        let ended: u64 =
            state.metrics().iter().filter(|(name, _)| name.starts_with("writ.ended.")).map(|(_, n)| *n).sum();
        let both = state.resumed.iter().filter(|context| answered.contains(context)).count();
        prop_assert!(both as u64 <= ended, "either or, unless it was ended later");
    }
}
