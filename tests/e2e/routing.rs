//! The route. Envoy chooses it before any filter. Behind the filter Envoy chooses it again, because the filter
//! edited fields; behind ext_authz it stays. Either way the upstream gets the request that was judged, and no
//! forged field of ours.

use harness::{
    Result,
    envoy::{Config, Shipped},
    error::unexpected,
    upstream::{Echo, Seen},
};
use serde_json::{Value, json};

use crate::world::{OBJECT, World, get};

#[tokio::test(flavor = "multi_thread")]
async fn every_route_gets_what_was_judged() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    world.export().await.unwrap();
    let plain = get("logs.internal", OBJECT, &world.token(&json!({})));
    let mut forged = plain.clone();
    forged.headers.push((b"x-writ-task".to_vec(), b"forged".to_vec()));
    forged.headers.push((b"x-envoy-original-path".to_vec(), b"/healthz".to_vec()));

    for (which, of_plain, of_forged) in
        [(Shipped::Wasm, "ours", "ours"), (Shipped::ExtAuthz, "upstream", "forged")]
    {
        let echoes =
            [("forged", Echo::start("forged").await.unwrap()), ("ours", Echo::start("ours").await.unwrap())];
        let proxy = world.proxy(which, |config| route_by_task(config, &echoes)).await.unwrap();
        for (request, expected) in [(&plain, of_plain), (&forged, of_forged)] {
            assert_eq!(proxy.send(request).await.unwrap().unwrap_or_default().status, 200);
            let mut all: Vec<(&str, Seen)> =
                proxy.echo.take().into_iter().map(|seen| ("upstream", seen)).collect();
            for (name, echo) in &echoes {
                all.extend(echo.take().into_iter().map(|seen| (*name, seen)));
            }
            let [(reached, seen)] = all.as_slice() else { panic!("{which:?}: {all:?}") };
            assert_eq!(*reached, expected, "{which:?}");
            assert_eq!((seen.method.as_str(), seen.target.as_slice()), ("GET", OBJECT.as_bytes()));
            assert_eq!(seen.values("host"), ["logs.internal"]);
            assert_eq!(seen.values("x-writ-task"), ["0199a1b2-0000-7000-8000-00000000000b"]);
            assert!(seen.values("x-envoy-original-path").is_empty());
        }
    }
}

/// What no operator should do: fields of ours choose the cluster.
fn route_by_task(config: &mut Config, echoes: &[(&str, Echo)]) -> Result<()> {
    for (name, echo) in echoes {
        config.copy_cluster("upstream", name, echo.address)?;
    }
    let routes = config
        .connection_manager()?
        .pointer_mut("/route_config/virtual_hosts/0/routes")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| unexpected("no routes"))?;
    let by_ours = json!({"prefix": "/", "headers": [{"name": "x-writ-task", "present_match": true}]});
    let by_forged =
        json!({"prefix": "/", "headers": [{"name": "x-writ-task", "string_match": {"exact": "forged"}}]});
    routes.insert(0, json!({"match": by_ours, "route": {"cluster": "ours"}}));
    routes.insert(0, json!({"match": by_forged, "route": {"cluster": "forged"}}));
    Ok(())
}
