//! What verdicts read goes down to data planes, and what became of it comes up.

use proto::v1::{Hello, Node, PROTOCOL, Version, watch_request};
use tonic::Code;

use crate::support::{
    Setup,
    feed::{hello, hello_holding},
    http::get,
    policy::{TOLD_ONLY, opening},
};

fn version(epoch: u64, generation: u64) -> Version {
    Version { epoch, generation, revocation: 0 }
}

#[tokio::test]
async fn a_first_snapshot_is_whole_and_then_hearts_beat() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let (mut watch, snapshot) = writ.watch_anew().await;
    assert_eq!((snapshot.version.generation, snapshot.chunks), (writ.generation().await, 1));
    assert_eq!(snapshot.hosts(), ["logs.internal"]);
    // It is the document that the filter reads, and nothing of clients is in it.
    verdict::Snapshot::from_json(snapshot.document.to_string().as_bytes()).unwrap();
    assert!(!snapshot.document.to_string().contains("hashed"));
    let mut as_of = snapshot.as_of_ms;
    for _ in 0..2 {
        let beat = watch.heartbeat().await;
        assert_eq!((beat.version, beat.interval_ms), (Some(snapshot.version), 3000));
        assert!(beat.as_of_ms >= as_of);
        as_of = beat.as_of_ms;
    }
}

#[tokio::test]
async fn hearts_beat_faster_where_less_staleness_is_borne() {
    let policy = opening("/a").replace("    audience: mesh\n", "    audience: mesh\n    max_staleness: 2s\n");
    let setup = Setup::bare().write("policies/logs.yaml", &policy);
    let writ = setup.serve().await;
    let (mut watch, _) = writ.watch_anew().await;
    assert_eq!(watch.heartbeat().await.interval_ms, 200);
}

#[tokio::test]
async fn an_edit_reaches_a_watcher_that_acknowledges_it() {
    let setup = Setup::new().config(TOLD_ONLY);
    let writ = setup.serve().await;
    let (mut watch, first) = writ.watch_anew().await;
    let planes = writ.data_planes(|planes| planes.len() == 1).await;
    assert!(planes[0]["version"].is_null() && planes[0]["acked_at"].is_null(), "{planes:?}");
    watch.ack(first.version).await;
    let planes = writ.data_planes(|planes| !planes[0]["acked_at"].is_null()).await;
    for (member, value) in [("name", "socket"), ("node", "envoy-1"), ("cluster", "edge"), ("build", "test-1")]
    {
        assert_eq!(planes[0][member], value);
    }
    assert_eq!((&planes[0]["protocol"], &planes[0]["behind_generations"]), (&1.into(), &0.into()));

    setup.replace("policies/logs.yaml", &opening("/edited"));
    let second = watch.snapshot().await;
    assert!(second.version.generation > first.version.generation);
    assert!(second.document.to_string().contains("/edited"));
    let planes = writ.data_planes(|_| true).await;
    assert_ne!(planes[0]["behind_generations"], 0);
    watch.ack(second.version).await;
    writ.data_planes(|planes| planes[0]["version"]["generation"] == second.version.generation).await;
    let metrics = get(writ.admin, "/metrics").await.body;
    for line in [
        "writ_feed_streams{data_plane=\"socket\"} 1",
        "writ_feed_acks_total{data_plane=\"socket\"} 2",
        "writ_feed_generations_behind 0",
        "writ_feed_snapshots_total 2",
        // The first was no news: it was there before its watcher.
        "writ_feed_ack_seconds_count 1",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn a_refusal_is_shown_until_something_later_is_taken() {
    let setup = Setup::new().config(TOLD_ONLY);
    let mut writ = setup.serve().await;
    let (mut watch, first) = writ.watch_anew().await;
    let reason = format!("requires `\u{1b}[31m\"new\"\n`{}", "x".repeat(5000));
    for _ in 0..100 {
        watch.nack(first.version, &reason).await;
    }
    let planes = writ.data_planes(|planes| planes.iter().any(|plane| !plane["nack"].is_null())).await;
    assert_eq!(planes[0]["nack"]["version"]["generation"], first.version.generation);
    assert!(planes[0]["nack"]["reason"].as_str().unwrap().starts_with("requires `\u{1b}[31m\"new\"\n`x"));
    assert!(planes[0]["nack"]["reason"].as_str().unwrap().len() <= 1024);
    assert!(writ.metric("writ_feed_nacks_total{data_plane=\"socket\"} 100").await);
    let line = writ.log("refused a version").await;
    assert!(!line.contains('\u{1b}'), "{line:?}");

    setup.replace("policies/logs.yaml", &opening("/edited"));
    let second = watch.snapshot().await;
    watch.ack(second.version).await;
    writ.data_planes(|planes| planes[0]["nack"].is_null()).await;
    let (_, _, log) = writ.stop().await;
    assert_eq!(log.matches("refused a version").count(), 1, "once for a version: {log}");
}

#[tokio::test]
async fn who_holds_the_version_gets_a_heartbeat_only() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let (_, snapshot) = writ.watch_anew().await;
    let mut again = writ.watch().await;
    again.send(hello_holding(&snapshot, snapshot.version)).await;
    let beat = again.heartbeat().await;
    assert_eq!((beat.version, &beat.digest), (Some(snapshot.version), &snapshot.digest));
    writ.data_planes(|planes| planes.iter().any(|plane| plane["behind_generations"] == 0)).await;
    let mut older = writ.watch().await;
    older.send(hello_holding(&snapshot, version(0, 1))).await;
    assert_eq!(older.snapshot().await.version, snapshot.version);
}

/// Keys are part of what is sent, and not of its version.
#[tokio::test]
async fn a_key_that_was_added_comes_to_who_holds_the_version() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let (_, before) = writ.watch_anew().await;
    let made = setup.run(&["keys", "rotate"]);
    assert!(made.status.success(), "{made:?}");
    let mut watch = writ.watch().await;
    watch.send(hello_holding(&before, before.version)).await;
    let after = watch.snapshot().await;
    assert_eq!(after.version, before.version);
    assert_ne!(after.digest, before.digest);
    assert_eq!(after.document["keys"].as_array().unwrap().len(), 2);
    assert_eq!(watch.heartbeat().await.digest, after.digest);
    let planes = writ.data_planes(|planes| planes.len() == 1).await;
    assert!(planes[0]["version"].is_null(), "{planes:?}");
    watch.ack(after.version).await;
    writ.data_planes(|planes| !planes[0]["version"].is_null()).await;
}

#[tokio::test]
async fn who_holds_a_newer_version_is_sent_elsewhere() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let generation = writ.generation().await;
    for newer in [version(1, generation + 1), version(2, 0)] {
        let mut watch = writ.watch().await;
        watch.send(hello(Some(newer))).await;
        let go_away = watch.go_away().await;
        assert!(go_away.reconnect_ms > 0 && go_away.reason.contains("behind"), "{go_away:?}");
        watch.ended().await.unwrap();
    }
    writ.data_planes(Vec::is_empty).await;
}

#[tokio::test]
async fn what_is_no_conversation_is_ended_with_its_reason() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let newer = watch_request::Message::Hello(Hello { protocol: PROTOCOL + 1, ..Hello::default() });
    let mut watch = writ.watch().await;
    watch.send(newer).await;
    let status = watch.ended().await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("version 2"), "{status:?}");

    let mut watch = writ.watch().await;
    watch.ack(version(0, 1)).await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::InvalidArgument);

    let (mut watch, _) = writ.watch_anew().await;
    watch.send(hello(None)).await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::InvalidArgument);

    let (mut watch, snapshot) = writ.watch_anew().await;
    watch.ack(version(1, snapshot.version.generation + 1)).await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::InvalidArgument);
    writ.data_planes(Vec::is_empty).await;
}

#[tokio::test]
async fn names_are_bounded() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let long = "é".repeat(10_000);
    let mut watch = writ.watch().await;
    let node = Some(Node { id: long.clone(), cluster: long.clone() });
    let message = Hello { protocol: PROTOCOL, build: long, node, ..Hello::default() };
    watch.send(watch_request::Message::Hello(message)).await;
    watch.snapshot().await;
    let planes = writ.data_planes(|planes| planes.len() == 1).await;
    for member in ["node", "cluster", "build"] {
        assert_eq!(planes[0][member], "é".repeat(127), "{member}");
    }
}
