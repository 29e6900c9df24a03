//! Envoy's worker threads: the kernel spreads connections over them.

use harness::{
    Result,
    envoy::{Stats, WORKERS},
    surface::Proxy,
    wait,
};
use serde_json::json;

use crate::world::{OBJECT, OTHER_OBJECT, World, answer, get};

/// Fails unless every worker has taken connections.
pub(crate) async fn all_took_part(proxy: &Proxy) -> Result<()> {
    let stats = proxy.envoy.stats().await?;
    for worker in 0..WORKERS {
        assert!(connections(&stats, worker) > 0, "worker {worker} took no connection");
    }
    Ok(())
}

/// Asks until every worker has answered again; each answer must be right.
pub(crate) async fn all_answer(proxy: &Proxy, world: &World) -> Result<()> {
    let token = world.token(&json!({}));
    let before = proxy.envoy.stats().await?;
    let (before, token) = (&before, &token);
    wait::until("an answer of every worker", || async move {
        assert_eq!(answer(proxy, &get("logs.internal", OBJECT, token)).await?.0, 200);
        let denied = answer(proxy, &get("logs.internal", OTHER_OBJECT, token)).await?;
        assert_eq!(denied, (403, "not_granted".to_owned()));
        let now = proxy.envoy.stats().await?;
        let answered = (0..WORKERS).all(|worker| connections(&now, worker) > connections(before, worker));
        Ok(answered.then_some(()))
    })
    .await
}

fn connections(stats: &Stats, worker: u32) -> u64 {
    let worker = format!(".worker_{worker}.downstream_cx_total");
    // The admin listener runs on the main thread and has no workers.
    stats.matching(&["listener.", &worker]).map(|(_, count)| count).sum()
}
