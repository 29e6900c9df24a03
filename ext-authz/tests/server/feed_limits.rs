//! What a data plane does wrong takes nothing from others, and nothing from it stays behind.

use proto::v1::{Decision, Report, Version};
use tokio::io::AsyncWriteExt as _;
use tonic::Code;

use crate::support::{
    Setup,
    feed::{Watch, hello, report},
    grpc::check_over,
    raw::begin,
    sha256,
};

fn setup(limits: &str) -> Setup {
    let hash = sha256("edge-secret");
    Setup::new()
        .config(&format!("data_planes: [{{name: edge, secret_sha256: \"{hash}\"}}]\nlimits: {{{limits}}}\n"))
}

const PROOF: &[&str] = &["Bearer edge-secret"];

#[tokio::test]
async fn streams_have_places_of_their_own() {
    let setup = setup("feed_streams: 3, requests: 1");
    let writ = setup.serve().await;
    let channel = writ.grpc_channel().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut watch = Watch::open(channel.clone(), PROOF).await.unwrap();
        watch.send(hello(None)).await;
        watch.snapshot().await;
        streams.push(watch);
    }
    let refusal = Watch::open(channel.clone(), PROOF).await.err().unwrap();
    assert_eq!((refusal.code(), refusal.message()), (Code::Unavailable, "too many requests in progress"));
    // Nor do they take the places of Check, nor strangers theirs.
    assert_eq!(check_over(channel.clone(), PROOF).await.unwrap().status, 200);
    let stranger = Watch::open(channel.clone(), &[]).await.err().unwrap();
    assert_eq!(stranger.code(), Code::Unauthenticated);
    streams.pop();
    writ.data_planes(|planes| planes.len() == 2).await;
    let mut watch = Watch::open(channel, PROOF).await.unwrap();
    watch.send(hello(None)).await;
    watch.snapshot().await;
}

/// No other limit of requests counts: neither their time, nor the bytes of all messages together.
#[tokio::test]
async fn a_stream_outlives_the_limits_of_requests() {
    let setup = setup("request_timeout: 1s, idle_timeout: 1s, message_bytes: 4096");
    let writ = setup.serve().await;
    let (mut watch, snapshot) = writ.watch_anew().await;
    let decisions = vec![Decision { verdict: "allow".into(), ..Decision::default() }; 300];
    for _ in 0..10 {
        watch
            .send(report(Report {
                decisions: decisions.clone(),
                dropped: 1,
                decided: 500,
                ..Report::default()
            }))
            .await;
    }
    // Three intervals of three seconds.
    for _ in 0..4 {
        assert_eq!(watch.heartbeat().await.version, Some(snapshot.version));
    }
    let planes = writ.data_planes(|planes| planes[0]["decided"] == 5000).await;
    assert_eq!(planes[0]["dropped"], 10);
    assert!(writ.metric("writ_feed_decisions_total{verdict=\"allow\"} 3000").await);
    watch
        .send(report(Report { decisions: [decisions.clone(), decisions].concat(), ..Report::default() }))
        .await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_hello_has_to_come_in_time() {
    let setup = setup("header_timeout: 1s");
    let writ = setup.serve().await;
    let mut watch = writ.watch().await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::DeadlineExceeded);
    writ.data_planes(Vec::is_empty).await;
}

/// Counters that wrap tell nothing.
#[tokio::test]
async fn a_report_of_more_than_there_can_be_is_refused() {
    let setup = setup("");
    let writ = setup.serve().await;
    let absurd = [
        Report { decided: 10_000_001, ..Report::default() },
        Report { dropped: u64::MAX, ..Report::default() },
    ];
    for absurd in absurd {
        let (mut watch, _) = writ.watch_anew().await;
        watch.send(report(absurd)).await;
        assert_eq!(watch.ended().await.unwrap_err().code(), Code::InvalidArgument);
    }
    // As many as fit the limit of messages elsewhere, and not this one.
    let (mut watch, _) = writ.watch_anew().await;
    watch.send(report(Report { decisions: vec![Decision::default(); 100_000], ..Report::default() })).await;
    assert_eq!(watch.ended().await.unwrap_err().code(), Code::ResourceExhausted);
    assert!(writ.metric("writ_feed_decided_total 0").await);
    assert!(writ.metric("writ_feed_decisions_dropped_total 0").await);
}

#[tokio::test]
async fn no_data_plane_takes_all_places_from_another() {
    let plane =
        |name: &str| format!("{{name: {name}, secret_sha256: \"{}\"}}", sha256(&format!("{name}-secret")));
    let setup = Setup::new().config(&format!(
        "data_planes: [{}, {}]\nlimits: {{feed_streams: 4}}\n",
        plane("greedy"),
        plane("edge")
    ));
    let writ = setup.serve().await;
    let channel = writ.grpc_channel().await;
    let mut streams = Vec::new();
    for name in ["greedy", "edge"] {
        let secret = format!("Bearer {name}-secret");
        for _ in 0..2 {
            let mut watch = Watch::open(channel.clone(), &[&secret]).await.unwrap();
            watch.send(hello(None)).await;
            watch.snapshot().await;
            streams.push(watch);
        }
        let refusal = Watch::open(channel.clone(), &[&secret]).await.err().unwrap();
        assert_eq!(refusal.code(), Code::Unavailable, "{name}");
    }
    streams.remove(0);
    writ.data_planes(|planes| planes.len() == 3).await;
    Watch::open(channel, &["Bearer greedy-secret"]).await.unwrap();
}

/// The watcher goes after each message of a conversation; nothing of it stays.
#[tokio::test]
async fn a_feed_may_be_cut_anywhere() {
    let setup = setup("feed_streams: 1");
    let writ = setup.serve().await;
    for heard in 0..12 {
        let mut watch = loop {
            // The place of the one before is free once the server knows that it went.
            match Watch::open(writ.socket_channel().await, &[]).await {
                Ok(watch) => break watch,
                Err(refusal) => assert_eq!(refusal.code(), Code::Unavailable),
            }
        };
        let mut version = Version::default();
        for step in 0..heard {
            match step {
                0 => watch.send(hello(None)).await,
                1 => version = watch.snapshot().await.version,
                2 => watch.ack(version).await,
                3 => drop(watch.heartbeat().await),
                4 => watch.nack(version, "x").await,
                _ => watch.send(report(Report { decided: 1, ..Report::default() })).await,
            }
        }
        drop(watch);
        writ.data_planes(Vec::is_empty).await;
    }
    assert!(writ.metric("writ_feed_streams{data_plane=\"socket\"} 0").await);
}

/// A connection that is cut within a frame.
#[tokio::test]
async fn half_a_message_holds_nothing() {
    let setup = setup("feed_streams: 1");
    let writ = setup.serve().await;
    let mut raw = begin(writ.grpc, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x20\0\0").await;
    raw.shutdown().await.unwrap();
    drop(raw);
    let mut watch = Watch::open(writ.grpc_channel().await, PROOF).await.unwrap();
    watch.send(hello(None)).await;
    watch.snapshot().await;
}

/// What a report says takes little more memory than its bytes, and a flood of them no more than a few.
#[tokio::test]
async fn a_flood_of_reports_takes_no_memory() {
    let setup = setup("");
    let writ = setup.serve().await;
    let (mut watch, snapshot) = writ.watch_anew().await;
    // The smallest decisions there are, as many as a message holds.
    let empty =
        Report { decisions: vec![Decision::default(); 90_000], dropped: 0, decided: 1, ..Report::default() };
    let hostile =
        Decision { verdict: "\u{1b}[2J\n\"".repeat(100), jti: "x".repeat(1000), ..Decision::default() };
    let hostile = Report {
        decisions: vec![hostile; 100],
        dropped: 10_000_000,
        decided: 10_000_000,
        ..Report::default()
    };
    // A few show what it takes while it is in use, and what the allocator keeps of it for each thread.
    for _ in 0..5 {
        watch.send(report(empty.clone())).await;
        watch.send(report(hostile.clone())).await;
    }
    writ.data_planes(|planes| planes[0]["dropped"] == 50_000_000).await;
    let before = writ.peak_memory();
    for _ in 0..20 {
        watch.send(report(empty.clone())).await;
        watch.send(report(hostile.clone())).await;
    }
    let planes = writ.data_planes(|planes| planes[0]["dropped"] == 250_000_000).await;
    assert_eq!(planes[0]["decided"], 250_000_025);
    let others = format!("writ_feed_decisions_total{{verdict=\"other\"}} {}", 25 * 90_100);
    assert!(writ.metric(&others).await);
    assert_eq!(watch.heartbeat().await.version, Some(snapshot.version));
    let grown = writ.peak_memory() - before;
    assert!(grown < 64 * 1024, "{grown} KiB");
}
