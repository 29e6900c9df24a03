//! Strangers and the audit log: what they do is counted, and costs no commit.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{MAY, Setup, Writ, clients::jti, http::get};

/// The value of a metric without labels.
async fn metric(writ: &Writ, name: &str) -> u64 {
    let text = get(writ.admin, "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

#[tokio::test]
async fn a_flood_of_strangers_commits_nothing_and_is_counted() {
    const REQUESTS: u64 = 2000;
    let setup = Setup::new();
    let writ = Arc::new(setup.serve().await);
    let token = writ.access_token(MAY).await;
    let authorization = format!("Bearer {token}");
    let path = "/my-bucket/logs/2026-05-01";
    assert_eq!(writ.check("GET", path, &[("authorization", &authorization)]).await.code(), "allowed");
    let decided = |events: &[Value]| !events.is_empty();
    writ.audit_until("event=decision", decided).await;
    let before = metric(&writ, "writ_audit_batches_total").await;

    let mut flood = JoinSet::new();
    for stranger in 0..8 {
        let writ = Arc::clone(&writ);
        flood.spawn(async move {
            let forged = format!("Bearer {}x", "e30.e30.".repeat(stranger));
            for request in 0..REQUESTS / 8 {
                let odd = format!("/{request}");
                let (path, headers) = if stranger % 2 == 0 {
                    (odd.as_str(), vec![])
                } else {
                    (path, vec![("authorization", forged.as_str())])
                };
                assert_ne!(writ.check("GET", path, &headers).await.status, 200);
            }
        });
    }
    flood.join_all().await;
    // A minute may have ended meanwhile, and the next one; nothing else writes.
    let after = metric(&writ, "writ_audit_batches_total").await;
    assert!(after - before <= 4, "{} batches for {REQUESTS} requests of strangers", after - before);
    assert_eq!(metric(&writ, "writ_audit_queue_events").await, 0);
    assert_eq!(writ.audit("event=decision").await.len(), 1);

    Arc::into_inner(writ).unwrap().stop().await;
    let writ = setup.serve().await;
    let refusals = writ.audit("event=refusals").await;
    assert!(refusals.len() <= 12, "a line for each minute, code and host: {refusals:?}");
    let counted: u64 = refusals.iter().map(|event| event["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, REQUESTS);
}

/// Its bearer is known, and has no rights any more: not that of filling the log either.
#[tokio::test]
async fn a_dead_token_is_told_once_a_minute_and_counted() {
    const REQUESTS: u64 = 300;
    let setup = Setup::new();
    let writ = setup.serve().await;
    let token = writ.access_token(MAY).await;
    let authorization = format!("Bearer {token}");
    let check =
        async || writ.check("GET", "/my-bucket/logs/2026-05-01", &[("authorization", &authorization)]).await;
    writ.revoke("token", &jti(&token)).await;
    while check().await.code() != "revoked" {}
    for _ in 0..REQUESTS {
        assert_eq!(check().await.code(), "revoked");
    }
    writ.stop().await;
    let writ = setup.serve().await;
    let told = writ.audit("event=decision").await;
    let told: Vec<_> = told.iter().filter(|event| event["code"] == "revoked").collect();
    // A minute may have ended meanwhile.
    assert!(told.len() <= 4, "{told:?}");
    let count = |event: &&Value| event["count"].as_u64().unwrap_or(1);
    assert_eq!(told.iter().map(count).sum::<u64>(), REQUESTS + 1, "{told:?}");
    assert!(told.iter().all(|event| event["jti"] == jti(&token) && event["task"].is_string()), "{told:?}");
}
