//! Another snapshot while Envoy runs: a good one holds at once, for cached tokens too; a bad one changes nothing.

use std::{fs, path::PathBuf};

use harness::wait;
use serde_json::{Value, json};

use crate::{
    snapshots::{changed, opens, refusals, replace_file, unreadable, with_configuration},
    world::{OBJECT, World, answer, get},
};

/// Connections enough that every worker is asked.
const ROUNDS: usize = 20;

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
async fn a_withdrawn_key_takes_its_cached_tokens_along() {
    let stranger = |world: &World| {
        let key = &world.forge.stranger;
        json!([{"kid": key.kid(), "alg": "EdDSA", "x": key.x()}])
    };
    assert_ends(stranger, "keys", (401, "unknown_key")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_route_is_closed_to_cached_tokens() {
    let health = |_: &World| {
        let rule = json!({"method": "GET", "path": "/healthz", "action": "none"});
        json!([{"names": ["logs.internal"], "audience": "mesh", "rules": [rule]}])
    };
    assert_ends(health, "hosts", (403, "no_route")).await;
}

/// A token that every worker has seen ends with a snapshot whose `member` is another, and stays ended.
async fn assert_ends(replacement: impl Fn(&World) -> Value, member: &str, end: (u16, &str)) {
    let world = World::new().unwrap();
    let proxy = world.wasm().await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    for _ in 0..ROUNDS {
        assert_eq!(answer(&proxy, &request).await.unwrap().0, 200);
    }

    let file: PathBuf = world.data().join("envoy/writ-filter.yaml");
    let good = fs::read_to_string(&file).unwrap();
    replace_file(&file, &with_configuration(&good, &changed(&world, member, &replacement(&world))));
    // Workers change over one after the other.
    let ended_everywhere = || async {
        for _ in 0..ROUNDS {
            let (status, code) = answer(&proxy, &request).await?;
            assert!(status == 200 || (status, code.as_str()) == end, "{status} {code}");
            if status == 200 {
                return Ok(None);
            }
        }
        Ok(Some(()))
    };
    wait::until("the new snapshot at every worker", ended_everywhere).await.unwrap();
}
