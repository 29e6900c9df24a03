//! Very many requests before the first snapshot: Envoy settles them all, and its sandbox survives it.

use std::{collections::BTreeMap, sync::Arc};

use harness::{
    feed::{Feed, with_digest},
    http::RawRequest,
    surface::Proxy,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    feed_early::{begin_to_feed, unfed, until_waiting},
    feed_world::{fed, feed_of, play, snapshot_at, until_acknowledged},
    workers,
    world::{OBJECT, OTHER_OBJECT, World, answer, get},
};

/// Half of them on each worker are more than V8's stack would hold at once, and fewer than may wait.
const CROWD: usize = 1_000;

/// All of them at once; none is answered yet.
async fn crowd(proxy: &Arc<Proxy>, request: &RawRequest) -> JoinSet<(u16, String)> {
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (proxy, request) = (Arc::clone(proxy), request.clone());
        crowd.spawn(async move { answer(&proxy, &request).await.unwrap() });
    }
    until_waiting(proxy, CROWD as u64).await;
    crowd
}

async fn tally(crowd: JoinSet<(u16, String)>) -> BTreeMap<(u16, String), usize> {
    let mut tally = BTreeMap::new();
    for answer in crowd.join_all().await {
        *tally.entry(answer).or_default() += 1;
    }
    tally
}

async fn assert_sound(proxy: &Proxy) {
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
    assert!(!proxy.envoy.log().contains("call stack"));
    until_waiting(proxy, 0).await;
}

async fn unfed_crowd(world: &World, object: &str) -> (Feed, Arc<Proxy>, JoinSet<(u16, String)>) {
    let (feed, proxy) = unfed(world).await;
    let proxy = Arc::new(proxy);
    let crowd = crowd(&proxy, &get("logs.internal", object, &world.token(&json!({})))).await;
    (feed, proxy, crowd)
}

#[tokio::test(flavor = "multi_thread")]
async fn in_vain_all_are_denied() {
    let world = World::new().unwrap();
    let (feed, proxy, crowd) = unfed_crowd(&world, OBJECT).await;
    let denied = BTreeMap::from([((503, "stale_snapshot".to_owned()), CROWD)]);
    assert_eq!(tally(crowd).await, denied);
    assert_sound(&proxy).await;
    assert_eq!(proxy.echo.take(), []);

    begin_to_feed(&world, &feed);
    workers::all_answer(&proxy, &world).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_lets_all_go_on() {
    let world = World::new().unwrap();
    let (feed, proxy, crowd) = unfed_crowd(&world, OBJECT).await;
    begin_to_feed(&world, &feed);
    assert_eq!(tally(crowd).await, BTreeMap::from([((200, String::new()), CROWD)]));
    assert_sound(&proxy).await;
    assert_eq!(proxy.echo.take().len(), CROWD);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_denies_all() {
    let world = World::new().unwrap();
    let (feed, proxy, crowd) = unfed_crowd(&world, OTHER_OBJECT).await;
    begin_to_feed(&world, &feed);
    assert_eq!(tally(crowd).await, BTreeMap::from([((403, "not_granted".to_owned()), CROWD)]));
    assert_sound(&proxy).await;
    assert_eq!(proxy.echo.take(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_document_of_the_same_version_comes_to_every_worker() {
    let world = World::new().unwrap();
    let mut document = snapshot_at(&world, 1);
    let feed = feed_of(&document).await;
    let proxy = fed(&world, &feed).await.unwrap();
    until_acknowledged(&feed, 1).await;
    workers::all_answer(&proxy, &world).await.unwrap();

    document.keys.clear();
    with_digest(play(&document), &[7; 32]).iter().for_each(|step| feed.play(step));
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let refused = || async {
        for _ in 0..10 {
            if answer(&proxy, &request).await? != (401, "unknown_key".to_owned()) {
                return Ok(None);
            }
        }
        Ok(Some(()))
    };
    harness::wait::until("the other document at every worker", refused).await.unwrap();
}
