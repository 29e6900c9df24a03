//! More is revoked than verdicts can hold.

use http::Method;
use serde_json::{Value, json};
use store::Level;
use test_databases::Database;
use verdict::revocation::MAX;

use crate::support::{
    MAY,
    ledger::{Writer, now},
    policy::opening,
    replicas::first_replica,
};

#[tokio::test]
async fn a_server_that_starts_over_a_full_store_vouches_for_nothing_until_there_is_room() {
    const LEFT: usize = 100;
    let database = Database::sqlite();
    let setup = first_replica(&database, &opening("/a"));
    Writer::open(&database, "other").await.revoke(Level::Agent, "a1", None, None).await;
    database
        .execute(&format!(
            "INSERT INTO revocations (seq, level, name, revoked_by, revoked_at, expires_at) \
             WITH RECURSIVE numbers(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < {last}) \
             SELECT number, 'task', 'task-' || number, 'test', {now}, {now} + 3600 FROM numbers; \
             UPDATE store SET revocation = {last}",
            last = MAX + 1,
            now = now()
        ))
        .await;
    let writ = setup.serve().await;
    let ready = writ.ready().await;
    let said = ready["store"]["error"].as_str().unwrap();
    assert!(said.contains(&format!("more than {MAX} revocations")), "{said}");
    assert_eq!((&ready["store"]["reachable"], &ready["store"]["as_of_ms"]), (&json!(false), &json!(0)));
    writ.check_until("GET", "/a", &[], "stale_snapshot").await;
    let mut follower = writ.follow().await;
    assert_eq!((follower.held.as_of_ms, follower.held.version.revocation), (0, 0));
    let refused = writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (503, &json!("temporarily_unavailable")));

    // Operators act as ever.
    let lifted = writ.operate(Method::POST, "/v1/revocations/lift", r#"{"level":"agent","name":"a1"}"#).await;
    assert_eq!((lifted.status.as_u16(), lifted.json()), (200, json!({"lifted": true})));
    assert_eq!(writ.revoke("agent", "a2").await["is_new"], true);
    // As time does.
    database.execute(&format!("DELETE FROM revocations WHERE level = 'task' AND seq > {}", LEFT + 1)).await;
    let ready = writ.until(|ready| ready["store"]["reachable"] == true).await;
    assert_eq!(ready["store"]["error"], Value::Null);
    writ.check_until("GET", "/a", &[], "allowed").await;
    let held = follower.until(|held| held.as_of_ms > 0).await;
    assert_eq!((held.revoked.len(), held.version.revocation), (LEFT + 1, MAX as u64 + 3));
    assert_eq!(writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await.status, 201);
}
