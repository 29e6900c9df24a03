//! Snapshots of the filter: good, bad and changed ones, in the file that Envoy watches.

use std::path::Path;

use harness::{Result, corpus::document, surface::Proxy};
use serde_json::{Value, json};

use crate::world::{OBJECT, OTHER_OBJECT, World, answer, get, now};

/// What the place of the snapshot in the exported file looks like.
const PLACE: &str = "value: '";

pub(crate) type Configuration = fn(&World) -> String;

/// Plugin configurations that must be refused.
pub(crate) fn unreadable() -> [(&'static str, Configuration); 6] {
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

pub(crate) fn changed(world: &World, member: &str, value: &Value) -> String {
    let mut snapshot = snapshot(world);
    snapshot[member] = value.clone();
    json!({"snapshot": snapshot}).to_string()
}

/// The exported file with another plugin configuration in it.
pub(crate) fn with_configuration(exported: &str, configuration: &str) -> String {
    let (before, rest) = exported.split_once(PLACE).expect("the place of the configuration");
    let (_, after) = rest.split_once("'\n").unwrap_or((rest, ""));
    format!("{before}{PLACE}{}'\n{after}", configuration.replace('\'', "''"))
}

/// Whether a good request gets through. A bad one never does, nor does an answer of 2xx come from elsewhere.
pub(crate) async fn opens(world: &World, proxy: &Proxy) -> Result<bool> {
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

/// How many updates the filter has refused so far.
pub(crate) async fn refusals(proxy: &Proxy) -> Result<u64> {
    let stats = proxy.envoy.stats().await?;
    let count =
        |word| stats.matching(&["extension_config_discovery", word]).map(|(_, count)| count).sum::<u64>();
    Ok(count("fail") + count("rejected"))
}

/// Writes a file as an operator's tool would: another name first, then moved into its place.
pub(crate) fn replace_file(file: &Path, text: &str) {
    let next = file.with_extension("next");
    std::fs::write(&next, text).expect("written");
    std::fs::rename(&next, file).expect("moved");
}
