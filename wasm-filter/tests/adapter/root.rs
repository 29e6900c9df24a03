//! Configurations: refused with a reason, or in force whole.

use serde_json::{Value, json};
use wasm_filter::{host::Level, root::Root, stream::Flow};

use crate::{
    fake::FakeHost,
    fixture::{ROOT, configuration, configured, request, snapshot, stream},
};

fn refusal(configuration: &[u8]) -> String {
    let host = FakeHost::new();
    let mut root = Root::new(host.clone(), ROOT);
    assert!(!root.configure(configuration), "{} is refused", String::from_utf8_lossy(configuration));
    assert_eq!(stream(&host, &root, request("GET", "/live", None)).on_request_headers(true), Flow::Pause);

    host.state().log.iter().find(|(level, _)| *level == Level::Error).expect("a reason").1.clone()
}

fn changed(member: &str, value: Value) -> Vec<u8> {
    let mut snapshot = snapshot();
    snapshot[member] = value;
    configuration(&snapshot)
}

#[test]
fn a_refused_configuration_says_why() {
    let unknown = json!({"snapshot": snapshot(), "mode": "open"}).to_string();
    let twice = format!(r#"{{"snapshot": {0}, "snapshot": {0}}}"#, snapshot());
    let cases: [(&[u8], &str); 8] = [
        (b"", "no configuration"),
        (b"{", "plugin configuration"),
        (b"\xff\xfe", "plugin configuration"),
        (b"{}", "exactly one of `snapshot` and `feed`"),
        (unknown.as_bytes(), "unknown field `mode`"),
        (twice.as_bytes(), "duplicate field `snapshot`"),
        (&changed("format", json!(2)), "format 2 is not known"),
        (&changed("requires", json!(["limits"])), "`limits`"),
    ];
    for (configuration, reason) in cases {
        let message = refusal(configuration);
        assert!(message.contains(reason), "`{message}` names `{reason}`");
    }
}

#[test]
fn a_refused_configuration_leaves_the_one_in_force() {
    let host = FakeHost::new();
    let mut root = configured(&host);

    assert!(!root.configure(b"{}"));
    assert_eq!(stream(&host, &root, request("GET", "/live", None)).on_request_headers(true), Flow::Continue);
}

#[test]
fn a_configuration_without_metrics_is_refused() {
    let host = FakeHost::new();
    host.state_mut().failing.insert("define_metric");
    assert!(!Root::new(host, ROOT).configure(&configuration(&snapshot())));
}

#[test]
fn a_stream_keeps_the_configuration_it_began_with() {
    let host = FakeHost::new();
    let mut root = configured(&host);
    let mut stream = stream(&host, &root, request("GET", "/live", None));

    assert!(root.configure(&changed("hosts", json!([]))));
    assert_eq!(stream.on_request_headers(true), Flow::Continue);
}

#[test]
fn the_version_in_force_is_published() {
    let host = FakeHost::new();
    let _root = configured(&host);
    assert_eq!(host.metric("writ.snapshot.epoch"), 2);
    assert_eq!(host.metric("writ.snapshot.generation"), 5);
    assert_eq!(host.metric("writ.snapshot.revocation"), 9);
}

#[test]
fn every_code_is_counted_from_zero() {
    let host = FakeHost::new();
    let _root = configured(&host);
    for code in verdict::DenialCode::ALL {
        assert_eq!(host.metric(&format!("writ.decisions.{}", code.as_str())), 0);
        assert_eq!(host.metric(&format!("writ.shadow.{}", code.as_str())), 0);
    }
}
