//! Callbacks in any order, with any bytes, on a host where any call may fail.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;
use wasm_filter::{root::Root, stream::Flow};

use crate::{
    fake::FakeHost,
    fixture::{ROOT, configured, field, request, stream, token},
};

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
    let denied = request("GET", "/my-bucket/logs/2026-06/a.log", Some(&token(json!({}))));
    prop_oneof![
        fields(),
        (select(vec![granted, written, denied]), prop_oneof![Just(Vec::new()), fields()])
            .prop_map(|(request, noise)| [request, noise].concat()),
    ]
}

fn failing() -> impl Strategy<Value = Vec<&'static str>> {
    let calls = vec![
        "request_headers",
        "now",
        "property",
        "set_property",
        "remove_request_header",
        "set_request_header",
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(select(calls), 1..3)]
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
                Callback::Body(size, end) => stream.on_request_body(size, end),
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
