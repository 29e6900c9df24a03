//! Large documents, parts of documents, and documents that are replaced while they are read.

use crate::support::{
    Setup, Writ,
    feed::{Received, Watch, hello},
    grpc::check_over,
    policy::{TOLD_ONLY, large, opening, small},
    sha256,
};

#[tokio::test]
async fn a_large_document_comes_in_chunks() {
    let setup = Setup::bare().write("policies/logs.yaml", &large("first"));
    let writ = setup.serve().await;
    let (mut watch, snapshot) = writ.watch_anew().await;
    assert!(snapshot.chunks > 2, "{}", snapshot.chunks);
    assert_eq!(snapshot.document["hosts"][0]["rules"].as_array().unwrap().len(), 1005);
    watch.heartbeat().await;
}

/// Its reader stops at the first bytes, three edits come and go, and then it reads on: the rest of what it began
/// with, and then the newest.
#[tokio::test]
async fn a_slow_reader_gets_the_newest_only() {
    let setup = Setup::bare().config(TOLD_ONLY).write("policies/logs.yaml", &large("first"));
    let writ = setup.serve().await;
    let mut slow = writ.watch_narrowly().await;
    // Others are not kept waiting.
    let (mut quick, first) = writ.watch_anew().await;
    let mut generation = first.version.generation;
    for word in ["second", "third", "fourth"] {
        setup.replace("policies/logs.yaml", &large(word));
        generation = writ.reloaded(generation).await;
        assert_eq!(quick.snapshot().await.version.generation, generation);
    }
    let read = slow.snapshot().await;
    assert_eq!(read.version, first.version);
    let read = slow.snapshot().await;
    assert_eq!(read.version.generation, generation);
    assert!(read.document.to_string().contains("/fourth"));
    assert_eq!(slow.heartbeat().await.version, Some(read.version));
}

fn scoped() -> Setup {
    let plane = |name: &str, audiences: &str| {
        let secret = sha256(&format!("{name}-secret"));
        format!("  - {{name: {name}, secret_sha256: \"{secret}\"{audiences}}}\n")
    };
    let planes = [
        plane("all", ""),
        plane("mesh", ", audiences: [mesh]"),
        plane("edge", ", audiences: [edge, none]"),
        plane("nobody", ", audiences: [none]"),
    ];
    Setup::bare()
        .config(&format!("{TOLD_ONLY}data_planes:\n{}", planes.concat()))
        .write("policies/logs.yaml", &opening("/a"))
        .write("policies/flights.yaml", &small("flights", "/a").replace("mesh", "edge"))
}

async fn watch(writ: &Writ, name: &str) -> (Watch, Received) {
    let secret = format!("Bearer {name}-secret");
    let mut watch = Watch::open(writ.grpc_channel().await, &[&secret]).await.unwrap();
    watch.send(hello(None)).await;
    let snapshot = watch.snapshot().await;
    (watch, snapshot)
}

#[tokio::test]
async fn a_data_plane_gets_the_hosts_of_its_audiences() {
    let setup = scoped();
    let writ = setup.serve().await;
    let whole = ["flights.internal", "logs.internal"];
    assert_eq!(watch(&writ, "all").await.1.hosts(), whole);
    assert_eq!(writ.watch_anew().await.1.hosts(), whole);
    assert_eq!(watch(&writ, "mesh").await.1.hosts(), ["logs.internal"]);
    assert!(watch(&writ, "nobody").await.1.hosts().is_empty());
    let (mut edge, snapshot) = watch(&writ, "edge").await;
    assert_eq!(snapshot.hosts(), ["flights.internal"]);
    // An edit elsewhere is a new version for all.
    setup.replace("policies/logs.yaml", &opening("/b"));
    let next = edge.snapshot().await;
    assert!(next.version.generation > snapshot.version.generation);
    assert_eq!(next.hosts(), ["flights.internal"]);
}

#[tokio::test]
async fn for_check_other_hosts_are_as_unknown() {
    let setup = scoped();
    let writ = setup.serve().await;
    for (name, path, code) in [
        ("all", "/healthz", "allowed"),
        ("mesh", "/healthz", "allowed"),
        ("edge", "/healthz", "missing_token"),
        ("nobody", "/healthz", "missing_token"),
    ] {
        let secret = format!("Bearer {name}-secret");
        let answer = check_over(writ.grpc_channel().await, &[&secret]).await.unwrap();
        assert_eq!(answer.code(), code, "{name} {path}");
    }
}
