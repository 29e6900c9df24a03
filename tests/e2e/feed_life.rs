//! The feed's ordinary life: a snapshot comes, another, the stream breaks, the configuration changes.

use harness::wait;
use proto::v1::watch_request;
use serde_json::json;

use crate::{
    feed_world::{
        STREAMS, configuration, configure, fed, feed_of, play, snapshot_at, until_acknowledged, until_open,
        version,
    },
    workers,
    world::{OBJECT, OTHER_OBJECT, World, answer, get, now},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_to_every_worker() {
    let world = World::new().unwrap();
    let feed = feed_of(&snapshot_at(&world, 1)).await;
    let proxy = fed(&world, &feed).await.unwrap();
    workers::all_answer(&proxy, &world).await.unwrap();

    assert!(feed.acks(version(1)) >= 1, "{:?}", feed.heard());
    until_open(&feed).await;
    for (_, request) in feed.heard() {
        if let Some(watch_request::Message::Hello(hello)) = request.message {
            let node = hello.node.unwrap();
            assert_eq!((hello.protocol, node.id.as_str(), node.cluster.as_str()), (1, "writ-wasm", "writ"));
            assert!(hello.version.is_none());
        }
    }
    for metadata in feed.metadata() {
        assert_eq!(metadata.get("authorization").unwrap(), "Bearer of-the-data-plane");
    }
    assert!(!proxy.envoy.log().contains("of-the-data-plane"));
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_edits_leak_no_stream_and_make_nobody_wait() {
    let world = World::new().unwrap();
    let feed = feed_of(&snapshot_at(&world, 1)).await;
    let proxy = fed(&world, &feed).await.unwrap();
    workers::all_answer(&proxy, &world).await.unwrap();
    let updates = || async {
        let stats = proxy.envoy.stats().await.unwrap();
        stats.matching(&["extension_config_discovery", "config_reload"]).map(|(_, count)| count).sum::<u64>()
    };
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let edits = async {
        for edit in 0..20 {
            let before = updates().await;
            // White space is another configuration to Envoy, and the same to the filter.
            configure(&world, &format!("{}{}", configuration(), " ".repeat(edit + 1)));
            wait::until("the edit", || async { Ok((updates().await > before).then_some(())) }).await.unwrap();
        }
    };
    let load = async {
        loop {
            assert_eq!(answer(&proxy, &request).await.unwrap(), (200, String::new()));
        }
    };
    tokio::select! {
        () = edits => {}
        () = load => {}
    }
    let settled = || async {
        let stats = proxy.envoy.stats().await?;
        let active: u64 =
            stats.matching(&["cluster.outbound", "upstream_rq_active"]).map(|(_, count)| count).sum();
        let connected = stats.get("wasmcustom.writ.feed.connected");
        Ok((feed.open() == STREAMS && active == STREAMS as u64 && connected == STREAMS as u64).then_some(()))
    };
    wait::until("one stream of each worker", settled).await.unwrap();
    assert!(feed.opened() > 2 * STREAMS as u64, "the edits were edits");
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_takes_effect_and_its_tokens_stay() {
    let world = World::new().unwrap();
    let feed = feed_of(&snapshot_at(&world, 1)).await;
    let proxy = fed(&world, &feed).await.unwrap();
    until_acknowledged(&feed, 1).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    assert_eq!(answer(&proxy, &request).await.unwrap().0, 200);

    let mut closed = snapshot_at(&world, 2);
    closed.hosts.clear();
    for (generation, document) in [(2, closed), (3, snapshot_at(&world, 3))] {
        play(&document).iter().for_each(|step| feed.play(step));
        until_acknowledged(&feed, generation).await;
        let (status, code) = answer(&proxy, &request).await.unwrap();
        let expected = if generation == 2 { (403, "no_route") } else { (200, "") };
        assert_eq!((status, code.as_str()), expected);
    }
    let stats = proxy.envoy.stats().await.unwrap();
    assert_eq!(stats.get("wasmcustom.writ.snapshot.generation"), 3);
    assert_eq!(stats.get("wasmcustom.writ.feed.connected"), STREAMS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_reported() {
    let world = World::new().unwrap();
    let feed = feed_of(&snapshot_at(&world, 1)).await;
    let proxy = fed(&world, &feed).await.unwrap();
    until_acknowledged(&feed, 1).await;
    let token = world.token(&json!({}));
    assert_eq!(answer(&proxy, &get("logs.internal", OBJECT, &token)).await.unwrap().0, 200);
    assert_eq!(answer(&proxy, &get("logs.internal", OTHER_OBJECT, &token)).await.unwrap().0, 403);
    assert_eq!(answer(&proxy, &get("logs.internal", OBJECT, b"a.b.c")).await.unwrap().0, 401);

    let reported = || {
        let reports = feed.heard().into_iter().filter_map(|(_, request)| match request.message {
            Some(watch_request::Message::Report(report)) => Some(report),
            _ => None,
        });
        let (mut decided, mut decisions) = (0, Vec::new());
        for report in reports {
            decided += report.decided;
            decisions.extend(report.decisions);
        }
        std::future::ready(Ok((decided == 3).then_some(decisions)))
    };
    let mut decisions = wait::until("three decisions", reported).await.unwrap();
    decisions.sort_by(|a, b| a.verdict.cmp(&b.verdict));
    let [allowed, denied] = decisions.as_slice() else { panic!("{decisions:?}") };
    assert_eq!((allowed.verdict.as_str(), denied.verdict.as_str()), ("allow", "not_granted"));
    assert_eq!((allowed.action.as_str(), denied.action.as_str()), ("s3:GetObject", ""));
    for decision in &decisions {
        assert_eq!(decision.host, "logs.internal");
        assert!(!decision.shadow && decision.at <= now());
        assert!(
            [&decision.task, &decision.agent, &decision.client, &decision.jti]
                .iter()
                .all(|id| !id.is_empty())
        );
    }
}
