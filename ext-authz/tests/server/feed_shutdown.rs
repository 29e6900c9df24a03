//! Streams are sent elsewhere when the server stops, and do not keep it.

use crate::support::{Setup, policy::large};

#[tokio::test]
async fn watchers_are_told_to_go_and_the_server_stops_at_once() {
    // Draining would take longer than this test's patience.
    let setup = Setup::new().config("limits: {drain_timeout: 1h}\n");
    let mut writ = setup.serve().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(writ.watch_anew().await.0);
    }
    // One that has not said Hello, too.
    streams.push(writ.watch().await);
    writ.signal(rustix::process::Signal::TERM);
    for mut watch in streams {
        let go_away = watch.go_away().await;
        assert!(go_away.reconnect_ms > 0 && go_away.reason.contains("stops"), "{go_away:?}");
        watch.ended().await.unwrap();
    }
    writ.log("stopped").await;
    let (status, _, log) = writ.ended().await;
    assert!(status.success() && !log.contains("did not end in time"), "{log}");
}

/// Somebody who reads nothing is not waited for.
#[tokio::test]
async fn a_reader_that_stalls_does_not_keep_the_server() {
    let setup =
        Setup::bare().config("limits: {drain_timeout: 1h}\n").write("policies/logs.yaml", &large("first"));
    let writ = setup.serve().await;
    let stalled = writ.watch_narrowly().await;
    writ.data_planes(|planes| planes.len() == 1).await;
    let (status, _, log) = writ.stop().await;
    assert!(status.success() && !log.contains("did not end in time"), "{log}");
    drop(stalled);
}

/// Nor does it hold its place for ever.
#[tokio::test]
async fn a_reader_that_stalls_loses_its_connection() {
    let setup =
        Setup::bare().config("limits: {request_timeout: 1s}\n").write("policies/logs.yaml", &large("first"));
    let writ = setup.serve().await;
    let stalled = writ.watch_narrowly().await;
    writ.data_planes(|planes| planes.len() == 1).await;
    writ.data_planes(Vec::is_empty).await;
    drop(stalled);
}
