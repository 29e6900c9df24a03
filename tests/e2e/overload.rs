//! Envoy under memory pressure: it refuses, and opens nothing.

use harness::{envoy::Shipped, wait};
use serde_json::json;

use crate::world::{OBJECT, World, answer, get};

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_without_memory_refuses() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    world.export().await.unwrap();
    for which in [Shipped::Wasm, Shipped::ExtAuthz] {
        let starved = |config: &mut harness::envoy::Config| {
            // Less than Envoy itself takes.
            *config.max_heap()? = json!(1 << 20);
            Ok(())
        };
        let proxy = world.proxy(which, starved).await.unwrap();
        for action in [
            "shrink_heap",
            "reset_high_memory_stream",
            "stop_accepting_requests",
            "reject_incoming_connections",
        ] {
            let gauge = format!("overload.envoy.overload_actions.{action}.active");
            let active = || async {
                let stats = proxy.envoy.stats().await?;
                let saturated = stats.get(&gauge.replace(".active", ".scale_percent")) == 100;
                Ok((saturated || stats.get(&gauge) == 1).then_some(()))
            };
            wait::until(action, active).await.unwrap();
        }
        let request = get("logs.internal", OBJECT, &world.token(&json!({})));
        let (status, code) = answer(&proxy, &request).await.unwrap();
        assert!(status == 0 || status == 503, "{which:?}: {status} {code}");
        assert_eq!(proxy.echo.take(), []);
    }
}
