//! A backup that is put back: whatever was forgotten by that, no token from before passes again.

use harness::{envoy::Shipped, fleet::Fleet};
use test_databases::Database;

use crate::tasks_world::{
    ALLOWED, DELEGATE, PATIENT, REVOKED, Surfaces, assert_refused, fleet, may, starter, to,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_postgresql_store_is_a_new_epoch() {
    let database = Database::postgres();
    assert_new_epoch(&[database.url(), database.url()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_sqlite_store_is_a_new_epoch() {
    let database = Database::sqlite();
    assert_new_epoch(&[database.url()]).await;
}

async fn assert_new_epoch(stores: &[String]) {
    let mut fleet = fleet(stores, PATIENT).await.unwrap();
    let mut surfaces = Surfaces::of(&fleet, stores.len()).await.unwrap();
    let client = starter(&fleet, 0);
    let (kept, forgotten) = (client.start(&may()).await.unwrap(), client.start(&may()).await.unwrap());
    let backup = fleet.directory().join("backup");
    operate(&fleet, &["backup", backup.to_str().unwrap()]);

    // All this is not in the backup.
    client.complete(&forgotten.task).await.unwrap();
    let later = client.start(&may()).await.unwrap();
    let delegated = client.delegate(&later.token, &to(DELEGATE)).await.unwrap();
    surfaces.until(&[&kept.token, &later.token, &delegated], ALLOWED, &[]).await;
    surfaces.until(&[&forgotten.token], REVOKED, &[ALLOWED]).await;

    for number in 0..stores.len() {
        fleet.stop(number).await.unwrap();
    }
    operate(&fleet, &["restore", "--force", backup.to_str().unwrap()]);
    surfaces.checks.clear();
    for number in 0..stores.len() {
        fleet.run(number).await.unwrap();
        surfaces.checks.push(fleet.check(number).await.unwrap());
    }
    // What ended in the meantime stays so, before the workers know of the epoch and after.
    assert!(surfaces.refuse(&forgotten.token).await);
    let client = starter(&fleet, 0);
    for token in [&kept.token, &forgotten.token, &later.token, &delegated] {
        surfaces.until_refused(token).await;
        assert_refused(&client.exchange(token, &to(DELEGATE)).await.unwrap());
        assert!(!client.is_active(token).await.unwrap());
    }
    let fresh = client.start(&may()).await.unwrap();
    surfaces.until(&[&fresh.token], ALLOWED, &[(401, "unknown_key")]).await;
    // An Envoy that comes only now knows as much.
    let number = surfaces.gates.len();
    surfaces.gates.push(fleet.gate(&format!("e{number}"), Shipped::Wasm, &[0]).await.unwrap());
    surfaces.until_refused(&kept.token).await;
    surfaces.agree(&[&fresh.token], ALLOWED).await;
}

/// Runs an operator's command where the first server is.
fn operate(fleet: &Fleet, arguments: &[&str]) {
    let ran = fleet.setup(0).unwrap().operate(arguments).unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}
