//! What a feed does wrong: the last good snapshot judges on, and the feed is tried again.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use harness::{
    feed::{Feed, Step, heartbeat, snapshot},
    surface::Proxy,
    wait,
};
use proto::v1::{GoAway, WatchResponse, watch_response};
use serde_json::json;
use tonic::Status;

use crate::{
    feed_world::{
        CLUSTER, INTERVAL, STREAMS, configuration, configure, fed, feed_of, now_ms, play, snapshot_at,
        until_acknowledged, until_open, version,
    },
    world::{OBJECT, World, answer, get},
};

/// Envoy, in which every worker judges by generation 2.
async fn at_two(world: &World) -> (Feed, Proxy) {
    let feed = feed_of(&snapshot_at(world, 2)).await;
    let proxy = fed(world, &feed).await.unwrap();
    until_acknowledged(&feed, 2).await;
    (feed, proxy)
}

async fn assert_still_good(world: &World, proxy: &Proxy) {
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    for _ in 0..10 {
        assert_eq!(answer(proxy, &request).await.unwrap(), (200, String::new()));
    }
    let stats = proxy.envoy.stats().await.unwrap();
    assert_eq!(stats.get("wasmcustom.writ.snapshot.generation"), 2);
    assert_eq!(stats.wasm_failures(), []);
}

async fn until_nacked(feed: &Feed, reason: &str) {
    let nacked = || {
        let nacks = feed.nacks();
        assert!(nacks.iter().all(|nack| nack.contains(reason)), "{nacks:?}");
        std::future::ready(Ok((nacks.len() >= STREAMS).then_some(())))
    };
    wait::until("every worker's refusal", nacked).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_cut_at_every_message_boundary() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    let steps = play(&snapshot_at(&world, 3));
    assert!(steps.len() > 5, "several boundaries");
    let cuts = Arc::new(AtomicUsize::new(0));
    // Every stream of every worker gets one message more than the stream before it, and then ends.
    let (next, whole) = (Arc::clone(&cuts), steps.len() - 1);
    feed.set_script(move |_| {
        let length = next.fetch_add(1, Ordering::Relaxed) % whole;
        let end: [Step; 1] = [Err(Status::unavailable("cut"))];
        steps.iter().take(length).cloned().chain(end).collect()
    });
    feed.play(&Err(Status::unavailable("cut")));
    let done = || std::future::ready(Ok((cuts.load(Ordering::Relaxed) >= whole).then_some(())));
    wait::until("a cut at every boundary", done).await.unwrap();
    assert_still_good(&world, &proxy).await;
    assert_eq!(feed.nacks(), [""; 0]);

    let steps = play(&snapshot_at(&world, 3));
    feed.set_script(move |hello| if hello.version == Some(version(2)) { steps.clone() } else { Vec::new() });
    until_acknowledged(&feed, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_requires_what_nobody_knows() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    let mut steps = play(&snapshot_at(&world, 3));
    for step in &mut steps {
        if let Ok(WatchResponse { message: Some(watch_response::Message::Snapshot(piece)) }) = step {
            piece.requires = vec!["later".to_owned()];
        }
    }
    steps.iter().for_each(|step| feed.play(step));
    until_nacked(&feed, "requires `later`").await;
    assert_still_good(&world, &proxy).await;
    assert_eq!(feed.nacks().len(), STREAMS, "one refusal for all pieces");
    assert_eq!(proxy.envoy.stats().await.unwrap().get("wasmcustom.writ.feed.nacks"), STREAMS as u64);
    assert_eq!(feed.opened(), STREAMS as u64, "the streams stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_does_not_compile() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    for step in snapshot(version(3), now_ms(), b"{\"format\": 2}", 5) {
        feed.play(&step);
    }
    until_nacked(&feed, "format 2").await;
    assert_still_good(&world, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_snapshot_is_refused() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    let steps = play(&snapshot_at(&world, 1));
    let newest = play(&snapshot_at(&world, 3));
    // Whoever comes back says what it holds; a server that is behind plays its own nevertheless, once.
    feed.set_script(move |hello| {
        assert_eq!(hello.version, Some(version(2)));
        newest.clone()
    });
    steps.iter().for_each(|step| feed.play(step));
    until_nacked(&feed, "older than 1.2.0").await;
    until_acknowledged(&feed, 3).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    assert_eq!(answer(&proxy, &request).await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_machine_takes_nothing_older_than_any_worker_has_held() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    // Another `authorization` is another feed section, which begins without a snapshot; what it is a feed of is the
    // same.
    let older = play(&snapshot_at(&world, 1));
    feed.set_script(move |hello| if hello.version.is_none() { older.clone() } else { Vec::new() });
    let mut configuration = configuration();
    configuration["feed"]["metadata"]["authorization"] = json!("Bearer another");
    configure(&world, &configuration.to_string());
    until_nacked(&feed, "older than 1.2.0").await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let denied = || async {
        Ok((answer(&proxy, &request).await? == (503, "stale_snapshot".to_owned())).then_some(()))
    };
    wait::until("no going back", denied).await.unwrap();

    let newer = play(&snapshot_at(&world, 2));
    feed.set_script(move |_| newer.clone());
    let open = || async { Ok((answer(&proxy, &request).await?.0 == 200).then_some(())) };
    wait::until("what was held before", open).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_left() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    feed.set_script(|_| vec![heartbeat(version(2), now_ms(), INTERVAL)]);
    // From now on it should be heard ten times a second.
    feed.play(&heartbeat(version(2), now_ms(), 100));
    let left = || std::future::ready(Ok((feed.opened() == 2 * STREAMS as u64).then_some(())));
    wait::until("other streams", left).await.unwrap();
    until_open(&feed).await;
    assert_still_good(&world, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_sent_away_comes_back() {
    let world = World::new().unwrap();
    let (feed, proxy) = at_two(&world).await;
    let go_away = GoAway { reconnect_ms: 50, reason: "a restart\r\nof ours".to_owned() };
    feed.play(&Ok(WatchResponse { message: Some(watch_response::Message::GoAway(go_away)) }));
    let back = || std::future::ready(Ok((feed.opened() >= 2 * STREAMS as u64).then_some(())));
    wait::until("other streams", back).await.unwrap();
    until_open(&feed).await;
    assert_still_good(&world, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_news_is_stale_until_there_are_newer() {
    let world = World::new().unwrap();
    let mut steps = play(&snapshot_at(&world, 2));
    for step in &mut steps {
        if let Ok(WatchResponse { message: Some(message) }) = step {
            match message {
                watch_response::Message::Snapshot(piece) => piece.as_of_ms -= 3_600_000,
                watch_response::Message::Heartbeat(heartbeat) => heartbeat.as_of_ms -= 3_600_000,
                watch_response::Message::Delta(delta) => delta.as_of_ms -= 3_600_000,
                watch_response::Message::GoAway(_) => {}
            }
        }
    }
    let feed = Feed::start(move |_| steps.clone()).await.unwrap();
    let proxy = fed(&world, &feed).await.unwrap();
    until_acknowledged(&feed, 2).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let stale = (503, "stale_snapshot".to_owned());
    assert_eq!(answer(&proxy, &request).await.unwrap(), stale);
    // Of another version than theirs: no news to them.
    feed.play(&heartbeat(version(3), now_ms(), INTERVAL));
    assert_eq!(answer(&proxy, &request).await.unwrap(), stale);

    feed.play(&heartbeat(version(2), now_ms(), INTERVAL));
    let open = || async {
        for _ in 0..10 {
            if answer(&proxy, &request).await?.0 != 200 {
                return Ok(None);
            }
        }
        Ok(Some(()))
    };
    wait::until("the news at every worker", open).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_exist_opens_nothing() {
    let world = World::new().unwrap();
    let feed = feed_of(&snapshot_at(&world, 1)).await;
    let text = configuration().to_string();
    let proxy = fed(&world, &feed).await.unwrap();
    until_acknowledged(&feed, 1).await;
    configure(&world, &text.replace(CLUSTER, "nowhere"));
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let denied = || async {
        Ok((answer(&proxy, &request).await? == (503, "stale_snapshot".to_owned())).then_some(()))
    };
    wait::until("no feed", denied).await.unwrap();
    configure(&world, &text);
    let open = || async { Ok((answer(&proxy, &request).await?.0 == 200).then_some(())) };
    wait::until("a feed again", open).await.unwrap();
    until_open(&feed).await;
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}
