//! Good edits of the policy take effect while the server runs.

use std::fs;

use test_databases::Database;

use crate::support::{
    MAY, Setup, Writ,
    http::get,
    policy::{FOUND_SOON, TOLD_ONLY, opening},
};

const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";

async fn start(setup: &Setup) -> (Writ, u64) {
    let writ = setup.serve().await;
    let generation = writ.generation().await;
    (writ, generation)
}

#[tokio::test]
async fn an_edit_takes_effect_with_a_higher_generation() {
    let setup = Setup::new().config(TOLD_ONLY);
    let (writ, before) = start(&setup).await;
    assert!(!writ.is_open("/open").await);
    fs::write(setup.path("policies/logs.yaml"), opening("/open")).unwrap();
    let after = writ.reloaded(before).await;
    assert!(writ.is_open("/open").await);
    assert!(writ.metric(&format!("writ_policy_generation {after}")).await);
    assert!(writ.metric(r#"writ_policy_reloads_total{outcome="accepted"} 1"#).await);
    assert!(writ.metric(r#"writ_policy_reloads_total{outcome="rejected"} 0"#).await);
    assert!(writ.metric("writ_policy_rejected 0").await);
    let config = get(writ.admin, "/config").await.json();
    assert_eq!((&config["policy_generation"], &config["policy_rejected"]), (&after.into(), &().into()));
    assert!(config["exemptions"].to_string().contains("GET logs.internal/open"));
}

#[tokio::test]
async fn files_come_go_and_are_renamed() {
    let setup = Setup::new().config(FOUND_SOON);
    let (writ, before) = start(&setup).await;
    setup.replace("policies/logs.yaml", &opening("/replaced"));
    let before = writ.reloaded(before).await;
    assert!(writ.is_open("/replaced").await);
    fs::rename(setup.path("policies/logs.yaml"), setup.path("policies/other.yaml")).unwrap();
    let before = writ.reloaded(before).await;
    setup.replace("policies/a.yaml", &crate::support::policy::small("more", "/"));
    let before = writ.reloaded(before).await;
    assert!(get(writ.admin, "/config").await.body.contains("more.internal"));
    fs::remove_file(setup.path("policies/a.yaml")).unwrap();
    writ.reloaded(before).await;
    assert!(!get(writ.admin, "/config").await.body.contains("more.internal"));
}

/// A token's proof is remembered across edits, and what it allows is judged by the policy of the moment.
#[tokio::test]
async fn tokens_outlive_an_edit() {
    let setup = Setup::new().config(FOUND_SOON);
    let (writ, before) = start(&setup).await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(writ.check("GET", OBJECT, &headers).await.status, 200);
    setup.replace("policies/logs.yaml", &opening("/open"));
    let before = writ.reloaded(before).await;
    assert_eq!(writ.check("GET", OBJECT, &headers).await.status, 200);
    setup.replace("policies/logs.yaml", &opening("/open").replace("audience: mesh", "audience: other"));
    writ.reloaded(before).await;
    assert_eq!(writ.check("GET", OBJECT, &headers).await.code(), "wrong_audience");
}

#[tokio::test]
async fn no_check_fails_during_twenty_edits() {
    let setup = Setup::new().config(FOUND_SOON);
    let (writ, mut before) = start(&setup).await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let headers = [("authorization", bearer.as_str())];
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = async {
        let mut answered = 0;
        while !*stopped.borrow() {
            let (granted, open) =
                tokio::join!(writ.check("GET", OBJECT, &headers), writ.check("GET", "/healthz", &[]));
            assert_eq!((granted.status, open.status), (200, 200), "{granted:?} {open:?}");
            answered += 1;
        }
        answered
    };
    let edits = async {
        for edit in 0..20 {
            setup.replace("policies/logs.yaml", &opening(&format!("/open-{edit}")));
            before = writ.reloaded(before).await;
        }
        stop.send(true).unwrap();
    };
    let (answered, ()) = tokio::join!(load, edits);
    assert!(answered >= 20, "only {answered} requests");
    assert!(writ.is_open("/open-19").await && !writ.is_open("/open-18").await);
    assert!(writ.metric(r#"writ_policy_reloads_total{outcome="accepted"} 20"#).await);
}

/// What is the same is not published again.
#[tokio::test]
async fn a_restart_goes_on_with_its_generation() {
    let setup = Setup::new();
    let (writ, before) = start(&setup).await;
    writ.stop().await;
    let (writ, after) = start(&setup).await;
    assert_eq!(after, before);
    assert!(writ.ready().await["policy_rejected"].is_null());
    // Another directory with the same files is the same policy.
    writ.stop().await;
    fs::rename(setup.path("policies"), setup.path("elsewhere")).unwrap();
    let writ = setup.serve_with(&["--policy-dir", "elsewhere"]).await;
    assert_eq!(writ.generation().await, before);
}

/// Generations go on, whatever the clock does.
#[tokio::test]
async fn a_generation_follows_one_of_a_clock_that_was_ahead() {
    let database = Database::sqlite();
    let setup = Setup::new().config(&format!("store: {}\n", database.url()));
    let (writ, before) = start(&setup).await;
    writ.stop().await;
    let ahead = before + 1_000_000;
    database.execute(&format!("UPDATE policy_generations SET generation = {ahead}")).await;
    database.execute(&format!("UPDATE store SET latest_generation = {ahead}")).await;
    setup.replace("policies/logs.yaml", &opening("/open"));
    assert_eq!(start(&setup).await.1, ahead + 1);
}

#[tokio::test]
async fn the_built_in_example_does_not_change() {
    let setup = Setup::bare();
    let (writ, before) = start(&setup).await;
    assert_eq!(writ.generation().await, before);
    let (status, ..) = writ.stop().await;
    assert!(status.success());
}
