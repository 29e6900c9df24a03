//! A store that goes away while a server runs.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_databases::Database;

use crate::support::{
    Setup, Writ,
    http::get,
    policy::opening,
    replicas::{first_replica, over_both},
};

over_both! {
    without_its_store_a_server_goes_on_until_it_is_stale,
    an_edit_waits_for_the_store,
    a_store_that_went_back_is_not_believed,
}

/// Seconds that a host may be judged by what was read before.
const BOUND: u64 = 4;

/// The test policy with a bound that a test can wait for.
fn bounded(path: &str) -> String {
    opening(path).replace("audience: mesh", &format!("audience: mesh\n    max_staleness: {BOUND}s"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn as_of(ready: &Value) -> u64 {
    ready["store"]["as_of_ms"].as_u64().unwrap() / 1000
}

async fn until_unreachable(writ: &Writ) -> Value {
    writ.until(|ready| ready["store"]["reachable"] == false).await
}

async fn without_its_store_a_server_goes_on_until_it_is_stale(mut database: Database) {
    let setup: Setup = first_replica(&database, &bounded("/open"));
    let mut writ = setup.serve().await;
    assert_eq!(writ.ready().await["store"]["error"], Value::Null);
    database.take_away();
    let ready = until_unreachable(&writ).await;
    assert_eq!(ready["status"], "ready");
    assert!(ready["store"]["error"].as_str().unwrap().contains("cannot be reached"), "{ready}");
    assert!(get(writ.admin, "/config").await.json()["store_error"].as_str().unwrap().contains("cannot be"));
    assert!(writ.metric("writ_store_up 0").await);
    let last = as_of(&ready);
    let mut passed = 0;
    loop {
        let (before, answer, after) = (now(), writ.check("GET", "/open", &[]).await, now());
        if answer.status == 200 {
            assert!(before <= last + BOUND, "{before} is too late after {last}");
            passed += 1;
        } else {
            assert_eq!((answer.status, answer.code().as_str()), (503, "stale_snapshot"));
            assert!(after > last + BOUND, "{after} is too soon after {last}");
            break;
        }
    }
    assert!(passed > 0, "requests go on for a while");
    assert_eq!(as_of(&writ.ready().await), last, "nothing was read since");

    database.bring_back();
    writ.until(|ready| ready["store"]["reachable"] == true && as_of(ready) > last).await;
    assert!(writ.is_open("/open").await);
    assert!(writ.metric("writ_store_up 1").await);
    writ.log("the store can be read again").await;
    let (_, _, log) = writ.stop().await;
    assert_eq!(log.matches("what is served grows stale").count(), 1, "not with each attempt: {log}");
}

async fn an_edit_waits_for_the_store(mut database: Database) {
    let setup = first_replica(&database, &opening("/old"));
    let writ = setup.serve().await;
    let before = writ.generation().await;
    database.take_away();
    setup.replace("policies/logs.yaml", &opening("/new"));
    let ready = writ.rejected("cannot be reached").await;
    assert!(ready["policy_rejected"]["errors"][0].as_str().unwrap().starts_with("the store `"), "{ready}");
    assert!(writ.is_open("/old").await);
    database.bring_back();
    writ.reloaded(before).await;
    assert!(writ.is_open("/new").await);
}

/// An old copy in the place of the database may lack what was revoked since.
async fn a_store_that_went_back_is_not_believed(database: Database) {
    let setup = first_replica(&database, &opening("/old"));
    let writ = setup.serve().await;
    let old = writ.generation().await;
    setup.replace("policies/logs.yaml", &opening("/new"));
    let new = writ.reloaded(old).await;
    database.execute(&format!("UPDATE store SET latest_generation = {old}")).await;
    let ready = until_unreachable(&writ).await;
    let said = ready["store"]["error"].as_str().unwrap();
    assert!(said.contains(&format!("went back from generation {new} to {old}")), "{said}");
    assert!(writ.is_open("/new").await);

    // Where it is meant, the epoch says so.
    database.execute("UPDATE store SET epoch = epoch + 1").await;
    writ.until(|ready| ready["policy_generation"] == old && ready["store"]["reachable"] == true).await;
    assert!(writ.is_open("/old").await);
}
