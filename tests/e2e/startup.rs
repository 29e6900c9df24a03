//! The filter without a snapshot, or with one it cannot read: nothing opens, and a good one that is in force
//! stays so.

use std::fs;

use harness::{
    Error, Result,
    corpus::document,
    envoy::{Envoy, Shipped},
    surface::Proxy,
    upstream::Echo,
    wait,
};
use serde_json::{Value, json};

use crate::world::{OBJECT, OTHER_OBJECT, World, answer, get, now, replace_file};

/// What the place of the snapshot in the exported file looks like.
const PLACE: &str = "value: '";

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
        let good = fs::read_to_string(world.setup().unwrap().export_snapshot().unwrap()).unwrap();
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
async fn a_bad_update_leaves_the_last_good_one() {
    let world = World::new().unwrap();
    let proxy = world.wasm().await.unwrap();
    let file = world.data().join("envoy/writ-filter.yaml");
    let good = fs::read_to_string(&file).unwrap();
    for (what, configuration) in unreadable() {
        let before = refusals(&proxy).await.unwrap();
        replace_file(&file, &with_configuration(&good, &configuration(&world)));
        wait::until(what, || async { Ok((refusals(&proxy).await? > before).then_some(())) }).await.unwrap();
        assert!(opens(&world, &proxy).await.unwrap(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_past_its_end_denies_everything() {
    let world = World::new().unwrap();
    let file = world.setup().unwrap().export_snapshot().unwrap();
    let good = fs::read_to_string(&file).unwrap();
    replace_file(&file, &with_configuration(&good, &changed(&world, "not_after", &json!(now() - 1))));
    let proxy = world.proxy(Shipped::Wasm, |_| Ok(())).await.unwrap();
    for target in [OBJECT, "/healthz"] {
        let denied = answer(&proxy, &get("logs.internal", target, &world.token(&json!({})))).await.unwrap();
        assert_eq!(denied, (503, "stale_snapshot".to_owned()));
    }
    assert_eq!(proxy.echo.take(), []);
}

type Configuration = fn(&World) -> String;

/// Plugin configurations that must be refused.
fn unreadable() -> [(&'static str, Configuration); 6] {
    [
        ("an unknown format", |world| changed(world, "format", &json!(2))),
        ("an unknown feature", |world| changed(world, "requires", &json!(["rego"]))),
        ("an unknown member", |world| changed(world, "open", &json!(true))),
        ("a bad rule", |world| {
            changed(world, "hosts", &json!([{"names": ["a"], "audience": "m", "rules": [{}]}]))
        }),
        ("no JSON", |_| "snapshot".to_owned()),
        ("an unknown member beside the snapshot", |world| {
            json!({"snapshot": snapshot(world), "fail_open": true}).to_string()
        }),
    ]
}

fn snapshot(world: &World) -> Value {
    let document = document(&world.hosts(), &world.forge.issuer, None, now()).unwrap();
    serde_json::to_value(document).unwrap()
}

fn changed(world: &World, member: &str, value: &Value) -> String {
    let mut snapshot = snapshot(world);
    snapshot[member] = value.clone();
    json!({"snapshot": snapshot}).to_string()
}

/// The exported file with another plugin configuration in it.
fn with_configuration(exported: &str, configuration: &str) -> String {
    let (before, rest) = exported.split_once(PLACE).expect("the place of the configuration");
    let (_, after) = rest.split_once("'\n").unwrap_or((rest, ""));
    format!("{before}{PLACE}{}'\n{after}", configuration.replace('\'', "''"))
}

/// Envoy as it starts when it may not become ready.
async fn launch(world: &World) -> Proxy {
    let echo = Echo::start("upstream").await.unwrap();
    let config = world.config(Shipped::Wasm, &echo).unwrap();
    let plain = config.first_listener().unwrap();
    let envoy = Envoy::launch(&config, &world.envoy_directory(Shipped::Wasm)).await.unwrap();
    Proxy { envoy, echo, plain }
}

/// Whether a good request gets through. A bad one never does, nor does an answer of 2xx come from elsewhere.
async fn opens(world: &World, proxy: &Proxy) -> Result<bool> {
    if !proxy.envoy.active_listeners().await?.contains_key(&proxy.plain) {
        return Ok(false);
    }
    let token = world.token(&json!({}));
    let bad = answer(proxy, &get("logs.internal", OTHER_OBJECT, &token)).await?;
    assert!(bad.0 >= 400, "{bad:?}");
    assert_eq!(proxy.echo.take(), [], "a request that is not granted went on");
    let good = answer(proxy, &get("logs.internal", OBJECT, &token)).await?;
    let reached = !proxy.echo.take().is_empty();
    assert_eq!(good.0 == 200, reached, "{good:?}");
    Ok(reached)
}

async fn until_open(world: &World, proxy: &Proxy) {
    let open = || async { Ok(opens(world, proxy).await?.then_some(())) };
    wait::until("the good snapshot", open).await.unwrap();
}

/// How many updates the filter has refused so far.
async fn refusals(proxy: &Proxy) -> Result<u64> {
    let stats = proxy.envoy.stats().await?;
    let count =
        |word| stats.matching(&["extension_config_discovery", word]).map(|(_, count)| count).sum::<u64>();
    Ok(count("fail") + count("rejected"))
}
