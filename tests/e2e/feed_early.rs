//! Requests before the first snapshot: they wait in Envoy, and not for ever.

use harness::{
    Result,
    feed::Feed,
    http::{
        Payload,
        h2::{Connection, fields},
    },
    surface::Proxy,
    wait,
};
use serde_json::json;

use crate::{
    feed_world::{fed, play, snapshot_at, until_acknowledged},
    workers,
    world::{OBJECT, World, answer, get},
};

const ID: u32 = 1;

/// Envoy with a feed that says nothing yet.
pub(crate) async fn unfed(world: &World) -> (Feed, Proxy) {
    let feed = Feed::start(|_| Vec::new()).await.unwrap();
    let proxy = fed(world, &feed).await.unwrap();
    (feed, proxy)
}

pub(crate) fn begin_to_feed(world: &World, feed: &Feed) {
    let steps = play(&snapshot_at(world, 1));
    steps.iter().for_each(|step| feed.play(step));
    feed.set_script(move |_| steps.clone());
}

pub(crate) async fn until_waiting(proxy: &Proxy, count: u64) {
    let waiting = || async {
        let stats = proxy.envoy.stats().await?;
        Ok((stats.get("wasmcustom.writ.requests.waiting") == count).then_some(()))
    };
    wait::until("so many requests that wait", waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn they_wait_for_it() {
    let world = World::new().unwrap();
    let (feed, proxy) = unfed(&world).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let mut upload = request.clone();
    // No rule declares this body.
    upload.payload = Payload::Streamed(b"hello".to_vec());
    let grants = json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://my-bucket/**"]}]);
    let writer = world.token(&json!({"authorization_details": grants}));
    let mut declared = get("logs.internal", OBJECT, &writer);
    (declared.method, declared.payload) = (b"PUT".to_vec(), Payload::Streamed(b"hello".to_vec()));
    let told = async {
        until_waiting(&proxy, 3).await;
        begin_to_feed(&world, &feed);
    };
    let (allowed, written, denied, ()) =
        tokio::join!(answer(&proxy, &request), answer(&proxy, &declared), answer(&proxy, &upload), told);
    assert_eq!((allowed.unwrap().0, written.unwrap().0), (200, 200));
    assert_eq!(denied.unwrap(), (400, "ambiguous_request".to_owned()));
    until_waiting(&proxy, 0).await;
    assert_eq!(proxy.echo.take().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_vain_they_are_denied() {
    let world = World::new().unwrap();
    let (_feed, proxy) = unfed(&world).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let response = proxy.send(&request).await.unwrap().unwrap();
    assert_eq!(response.status, 503);
    assert!(response.header("retry-after").is_some());
    assert_eq!(proxy.echo.take(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_leave_are_forgotten() {
    let world = World::new().unwrap();
    let (feed, proxy) = unfed(&world).await;
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let reset = async || -> Result<()> {
        let mut client = Connection::open(proxy.connect().await?).await?;
        client.headers(ID, &fields("http", &request), false).await?;
        client.data(ID, b"hello", false).await?;
        until_waiting(&proxy, 1).await;
        client.reset(ID).await?;
        until_waiting(&proxy, 0).await;
        Ok(())
    };
    for _ in 0..3 {
        reset().await.unwrap();
    }
    begin_to_feed(&world, &feed);
    until_acknowledged(&feed, 1).await;
    assert_eq!(proxy.echo.take(), []);
    workers::all_answer(&proxy, &world).await.unwrap();
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}
