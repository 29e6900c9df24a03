//! Servers that share one store.

use serde_json::Value;
use test_databases::Database;

use crate::support::{
    MAY, Setup, Writ,
    http::{basic, get},
    policy::{generation, opening},
    replicas::{first_replica, over_both, replica},
};

const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";

over_both! {
    two_servers_serve_one_generation,
    an_edit_on_one_reaches_the_other,
    two_servers_that_see_one_edit_publish_it_once,
    a_start_with_an_older_directory_serves_the_newer_generation,
    an_edit_back_to_an_older_policy_is_published,
    a_replica_that_lags_does_not_go_back,
    a_start_with_a_bad_directory_serves_what_others_published,
    a_policy_that_does_not_fit_this_replica_is_rejected,
    what_does_not_fit_makes_what_is_served_stale,
    a_restored_store_counts_everywhere,
}

/// Waits for exactly this generation.
async fn serves(writ: &Writ, number: u64) -> Value {
    writ.until(|ready| generation(ready) == number).await
}

async fn is_level(writ: &Writ, number: u64) {
    writ.until(|ready| generation(ready) == number && ready["policy_rejected"].is_null()).await;
}

/// All that does not differ between replicas on purpose.
async fn shown(writ: &Writ) -> Value {
    let mut config = get(writ.admin, "/config").await.json();
    for own in ["data_dir", "policy_dir", "listeners"] {
        config[own] = Value::Null;
    }
    config
}

async fn two_servers_serve_one_generation(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, &opening("/open"));
    let mut first = one.serve().await;
    let secret = first.secret("generated").await;
    let second = other.serve().await;
    assert_eq!(shown(&first).await, shown(&second).await);

    let keys = get(first.http, "/.well-known/jwks.json").await.body;
    assert_eq!(get(second.http, "/.well-known/jwks.json").await.body, keys);
    let bearer = format!("Bearer {}", first.access_token(MAY).await);
    assert_eq!(second.check("GET", OBJECT, &[("authorization", &bearer)]).await.status, 200);
    assert_eq!(second.token(&basic("generated", &secret), &[]).await.json()["error"], "invalid_request");
    let (_, stdout, _) = second.stop().await;
    assert_eq!(stdout, "", "a secret is shown once, by one replica");
}

async fn an_edit_on_one_reaches_the_other(database: Database) {
    let one = first_replica(&database, &opening("/one"));
    let other = replica(&database, &one, &opening("/one"));
    let (first, second) = (one.serve().await, other.serve().await);
    let before = first.generation().await;

    one.replace("policies/logs.yaml", &opening("/two"));
    let after = first.reloaded(before).await;
    let ready = second.until(|ready| generation(ready) == after).await;
    assert!(second.is_open("/two").await && !second.is_open("/one").await);
    // Its own directory has not changed yet, and it says so.
    let said = ready["policy_rejected"]["errors"][0].as_str().unwrap();
    assert!(said.contains(&format!("holds generation {before}")), "{said}");

    other.replace("policies/logs.yaml", &opening("/two"));
    is_level(&second, after).await;
    other.replace("policies/logs.yaml", &opening("/three"));
    let last = second.reloaded(after).await;
    serves(&first, last).await;
    assert!(first.is_open("/three").await);
}

async fn two_servers_that_see_one_edit_publish_it_once(database: Database) {
    let one = first_replica(&database, &opening("/0"));
    let other = replica(&database, &one, &opening("/0"));
    let (first, second) = (one.serve().await, other.serve().await);
    let mut before = first.generation().await;
    for path in ["/1", "/2", "/3"] {
        one.replace("policies/logs.yaml", &opening(path));
        other.replace("policies/logs.yaml", &opening(path));
        before = first.reloaded(before).await;
        is_level(&second, before).await;
        assert!(first.is_open(path).await && second.is_open(path).await);
        is_level(&first, before).await;
    }
}

async fn a_start_with_an_older_directory_serves_the_newer_generation(database: Database) {
    let setup = first_replica(&database, &opening("/old"));
    let writ = setup.serve().await;
    let old = writ.generation().await;
    setup.replace("policies/logs.yaml", &opening("/new"));
    let new = writ.reloaded(old).await;
    writ.stop().await;

    setup.replace("policies/logs.yaml", &opening("/old"));
    let mut writ = setup.serve().await;
    let cause = format!("holds generation {old}, and the store's later generation {new} is served");
    let ready = writ.rejected(&cause).await;
    assert_eq!((generation(&ready), &ready["status"]), (new, &"ready".into()));
    assert!(writ.is_open("/new").await && !writ.is_open("/old").await);
    assert!(get(writ.admin, "/config").await.json()["policy_rejected"].to_string().contains(&cause));
    assert!(writ.metric("writ_policy_rejected 1").await);
    writ.log(&cause).await;
    writ.stop().await;

    let writ = setup.serve_with(&["--republish-policy"]).await;
    assert!(writ.generation().await > new && writ.ready().await["policy_rejected"].is_null());
    assert!(writ.is_open("/old").await && !writ.is_open("/new").await);
}

async fn an_edit_back_to_an_older_policy_is_published(database: Database) {
    let one = first_replica(&database, &opening("/old"));
    let other = replica(&database, &one, &opening("/old"));
    let (first, second) = (one.serve().await, other.serve().await);
    let old = first.generation().await;
    one.replace("policies/logs.yaml", &opening("/new"));
    let new = first.reloaded(old).await;
    one.replace("policies/logs.yaml", &opening("/old"));
    let back = first.reloaded(new).await;
    is_level(&second, back).await;
    assert!(first.is_open("/old").await && second.is_open("/old").await);
    assert!(!first.is_open("/new").await && !second.is_open("/new").await);
}

async fn a_replica_that_lags_does_not_go_back(database: Database) {
    let one = first_replica(&database, &opening("/1"));
    let other = replica(&database, &one, &opening("/1"));
    let (first, second) = (one.serve().await, other.serve().await);
    let mut latest = vec![first.generation().await];
    for path in ["/2", "/3"] {
        one.replace("policies/logs.yaml", &opening(path));
        latest.push(first.reloaded(latest[latest.len() - 1]).await);
    }
    serves(&second, latest[2]).await;
    other.replace("policies/logs.yaml", &opening("/2"));
    let ready = second.rejected(&format!("holds generation {}", latest[1])).await;
    assert_eq!(generation(&ready), latest[2]);
    assert!(second.is_open("/3").await && !second.is_open("/2").await);
    other.replace("policies/logs.yaml", &opening("/3"));
    is_level(&second, latest[2]).await;
    assert_eq!(first.generation().await, latest[2]);
}

async fn a_start_with_a_bad_directory_serves_what_others_published(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, "namespace: [");
    let (code, stderr) = other.refuse_to_serve();
    assert_eq!(code, 64, "{stderr}");
    let first = one.serve().await;
    let second = other.serve().await;
    let ready = second.rejected("policies/logs.yaml:1:").await;
    assert_eq!(generation(&ready), first.generation().await);
    assert!(second.is_open("/open").await);
}

/// A replica whose namespaces have room for one host.
fn narrow_replica(database: &Database, keys: &Setup, policy: &str) -> Setup {
    let setup = replica(database, keys, policy);
    let config = std::fs::read_to_string(setup.path("writ.yaml")).unwrap();
    let namespaces = "namespaces: {logs: {hosts: [logs.internal], actions: [\"*\"], clients: [\"*\"]}}\n";
    setup.config(&(config + namespaces))
}

async fn a_policy_that_does_not_fit_this_replica_is_rejected(database: Database) {
    let one = first_replica(&database, &opening("/1"));
    let other = narrow_replica(&database, &one, &opening("/1"));
    let (first, second) = (one.serve().await, other.serve().await);
    let before = first.generation().await;
    one.replace("policies/logs.yaml", &opening("/2").replace("logs.internal", "more.internal"));
    let after = first.reloaded(before).await;
    let ready = second.outdated().await;
    let said = ready["policy_rejected"]["errors"].to_string();
    assert!(said.contains(&format!("generation {after} of the store does not fit")), "{ready}");
    assert_eq!(generation(&ready), before);
    assert_eq!(
        (&ready["status"], &ready["store"]["unserved_generation"]),
        (&"outdated".into(), &after.into())
    );
    assert!(second.is_open("/1").await);

    one.replace("policies/logs.yaml", &opening("/3"));
    let last = first.reloaded(after).await;
    loop {
        let ready = get(second.admin, "/readyz").await;
        if ready.status == 200 {
            assert_eq!(generation(&ready.json()), last);
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(second.is_open("/3").await);
}

/// Nobody knows what the policy takes back that cannot be read; what holds for every policy is taken up.
async fn what_does_not_fit_makes_what_is_served_stale(database: Database) {
    let impatient = |path: &str| {
        opening(path).replace("    audience: mesh\n", "    audience: mesh\n    max_staleness: 3s\n")
    };
    let one = first_replica(&database, &impatient("/1"));
    let other = narrow_replica(&database, &one, &impatient("/1"));
    let (first, second) = (one.serve().await, other.serve().await);
    let bearer = format!("Bearer {}", first.access_token(MAY).await);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(second.check("GET", OBJECT, &headers).await.status, 200);
    let before = first.generation().await;
    let (mut watch, snapshot) = second.watch_anew().await;
    one.replace("policies/logs.yaml", &impatient("/2").replace("logs.internal", "more.internal"));
    first.reloaded(before).await;
    let as_of = second.outdated().await["store"]["as_of_ms"].as_u64().unwrap();
    second.check_until("GET", OBJECT, &headers, "stale_snapshot").await;
    // Reads of the store go on, and make nothing fresh.
    assert!(second.outdated().await["store"]["as_of_ms"].as_u64().unwrap() <= as_of);
    let beat = watch.heartbeat().await;
    assert!(beat.as_of_ms <= as_of, "{beat:?}");
    assert_eq!(beat.version, Some(snapshot.version));

    database.execute("UPDATE store SET epoch = epoch + 1, min_iat = 4000000000").await;
    let raised = watch.snapshot().await;
    assert_eq!((raised.version.epoch, raised.version.generation), (snapshot.version.epoch + 1, before));
    assert_eq!(raised.document["min_iat"], 4_000_000_000_u64);
    one.replace("policies/logs.yaml", &impatient("/3"));
    let fitting = watch.snapshot().await;
    assert!(fitting.version.generation > before);
    while watch.heartbeat().await.as_of_ms <= as_of {}
    second.check_until("GET", OBJECT, &headers, "revoked").await;
}

/// Tokens from before are refused, and nobody needs to be restarted.
async fn a_restored_store_counts_everywhere(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let writ = one.serve().await;
    let before = writ.generation().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(writ.check("GET", OBJECT, &headers).await.status, 200);
    database.execute("UPDATE store SET epoch = epoch + 1, min_iat = 4000000000").await;
    writ.check_until("GET", OBJECT, &headers, "revoked").await;
    assert_eq!(writ.generation().await, before);
}

/// Whoever asks the wrong replica learns nothing of the store's password.
#[tokio::test]
async fn the_password_of_the_store_is_shown_nowhere() {
    let database = Database::postgres();
    let url = database.url().replace("postgres://postgres@", "postgres://postgres:hidden@");
    let setup = Setup::new().config(&format!("store: {url}\n"));
    let writ = setup.serve().await;
    for path in ["/config", "/readyz", "/metrics"] {
        assert!(!get(writ.admin, path).await.body.contains("hidden"), "{path}");
    }
    let config = get(writ.admin, "/config").await.json();
    assert!(config["store"].as_str().unwrap().starts_with("postgres://postgres@/"), "{config}");
    drop(database);
    writ.until(|ready| ready["store"]["reachable"] == false).await;
    let ready = writ.ready().await;
    assert!(ready["store"]["error"].as_str().unwrap().contains("postgres://postgres@/"), "{ready}");
    let (_, _, stderr) = writ.stop().await;
    assert!(!ready.to_string().contains("hidden") && !stderr.contains("hidden"), "{stderr}");
}
