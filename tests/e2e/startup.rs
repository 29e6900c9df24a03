//! The filter without a snapshot, or with one it cannot read: nothing opens.

use std::fs;

use harness::{
    Error,
    envoy::{Envoy, Shipped},
    surface::Proxy,
    upstream::Echo,
    wait,
};
use serde_json::json;

use crate::{
    snapshots::{changed, opens, refusals, replace_file, unreadable, with_configuration},
    world::{OBJECT, World, answer, get, now},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_snapshot_envoy_does_not_start() {
    let world = World::new().unwrap();
    let echo = Echo::start("upstream").await.unwrap();
    let config = world.config(Shipped::Wasm, &echo).unwrap();
    let mut envoy = match Envoy::launch(&config, &world.envoy_directory(Shipped::Wasm)).await {
        Ok(envoy) => envoy,
        Err(Error::Ended { log, .. }) => return assert!(log.contains("writ-filter.yaml"), "{log}"),
        Err(error) => panic!("{error}"),
    };
    // Its admin listener may come up before it gives up.
    wait::until("the end of Envoy", || std::future::ready(Ok(envoy.check().is_err().then_some(()))))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_read_opens_nothing() {
    for (what, configuration) in unreadable() {
        let world = World::new().unwrap();
        let good = fs::read_to_string(world.export().await.unwrap()).unwrap();
        let file = world.data().join("envoy/writ-filter.yaml");
        replace_file(&file, &with_configuration(&good, &configuration(&world)));
        let proxy = launch(&world).await;
        wait::until(what, || async { Ok((refusals(&proxy).await? > 0).then_some(())) }).await.unwrap();
        assert!(!opens(&world, &proxy).await.unwrap(), "{what}");

        // It is the snapshot that was wrong, nothing else: a good one opens.
        replace_file(&file, &good);
        until_open(&world, &proxy).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_past_its_end_denies_everything() {
    let world = World::new().unwrap();
    let file = world.export().await.unwrap();
    let good = fs::read_to_string(&file).unwrap();
    replace_file(&file, &with_configuration(&good, &changed(&world, "not_after", &json!(now() - 1))));
    let proxy = world.proxy(Shipped::Wasm, |_| Ok(())).await.unwrap();
    for target in [OBJECT, "/healthz"] {
        let denied = answer(&proxy, &get("logs.internal", target, &world.token(&json!({})))).await.unwrap();
        assert_eq!(denied, (503, "stale_snapshot".to_owned()));
    }
    assert_eq!(proxy.echo.take(), []);
}

/// Envoy as it starts when it may not become ready.
async fn launch(world: &World) -> Proxy {
    let echo = Echo::start("upstream").await.unwrap();
    let config = world.config(Shipped::Wasm, &echo).unwrap();
    let plain = config.first_listener().unwrap();
    let envoy = Envoy::launch(&config, &world.envoy_directory(Shipped::Wasm)).await.unwrap();
    Proxy { envoy, echo, plain }
}

async fn until_open(world: &World, proxy: &Proxy) {
    let open = || async { Ok(opens(world, proxy).await?.then_some(())) };
    wait::until("the good snapshot", open).await.unwrap();
}
