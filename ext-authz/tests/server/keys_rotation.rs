//! Keys that change while servers run.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::Value;
use test_databases::Database;
use tokio::time::timeout;

use crate::support::{
    MAY, Setup, Writ,
    http::get,
    policy::opening,
    replicas::{first_replica, over_both, replica},
    writ::PATIENCE,
};

over_both! {
    first_starts_at_once_make_one_key,
    a_rotation_refuses_no_valid_token,
    a_withdrawn_key_is_refused_everywhere_and_no_other,
    a_key_changes_by_its_age_and_is_forgotten_after_its_last_token,
}

/// What cannot be read after a withdrawal does not make it undone.
#[tokio::test]
async fn a_withdrawal_is_answered_from_its_commit() {
    let database = Database::sqlite();
    let setup = first_replica(&database, &opening("/open"));
    let writ = setup.serve().await;
    // From the withdrawal's commit on neither keys nor revocations can be read.
    let break_at_withdrawal = "CREATE TRIGGER broken AFTER INSERT ON audit_batches WHEN NEW.body LIKE '%withdrawn%' \
        BEGIN UPDATE signing_keys SET alg = 'none'; UPDATE revocations SET revoked_at = -1; END";
    let mend =
        "DROP TRIGGER broken; UPDATE signing_keys SET alg = 'EdDSA'; UPDATE revocations SET revoked_at = 1";
    for by_revocation in [true, false] {
        let leaked = in_state(&setup, "active").remove(0);
        database.execute(break_at_withdrawal).await;
        let (path, body) = if by_revocation {
            ("/v1/revocations".to_owned(), format!(r#"{{"level":"key","name":"{leaked}"}}"#))
        } else {
            (format!("/v1/keys/{leaked}/withdraw"), String::new())
        };
        let answer = writ.operate(Method::POST, &path, &body).await;
        let status = answer.status.as_u16();
        let said = answer.json();
        database.execute(mend).await;
        if by_revocation {
            assert_eq!(
                (status, &said["is_new"], &said["revocation"]["name"]),
                (201, &true.into(), &leaked.into())
            );
        } else {
            assert_eq!((status, &said["changed"]), (200, &true.into()), "{said}");
            assert_eq!(in_state(&setup, "active"), [said["active"].as_str().unwrap()]);
        }
        // And the replica takes up what it could not read.
        let token = loop {
            let started = writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await;
            if started.status == 201 {
                break started.json()["access_token"].as_str().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(in_state(&setup, "active"), [kid(&token)]);
    }
}

const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";

/// The key that signed a token.
fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn code(writ: &Writ, token: &str) -> String {
    writ.check("GET", OBJECT, &[("authorization", &format!("Bearer {token}"))]).await.code()
}

/// Waits until `writ` refuses this token.
async fn refused(writ: &Writ, token: &str) -> String {
    let asking = async {
        loop {
            let code = code(writ, token).await;
            if code != "allowed" {
                return code;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.expect("still allowed")
}

fn keys(setup: &Setup) -> Vec<Value> {
    let (code, listed) = setup.run_json(&["keys", "list"], "");
    assert_eq!(code, 0, "{listed}");
    listed["keys"].as_array().unwrap().clone()
}

fn in_state(setup: &Setup, state: &str) -> Vec<String> {
    let keys = keys(setup);
    let found = keys.iter().filter(|key| key["state"] == state);
    found.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn published(writ: &Writ) -> BTreeSet<String> {
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn until_published(writ: &Writ, wanted: impl Fn(&BTreeSet<String>) -> bool) -> BTreeSet<String> {
    let asking = async {
        loop {
            let keys = published(writ).await;
            if wanted(&keys) {
                return keys;
            }
            tokio::task::yield_now().await;
        }
    };
    match timeout(PATIENCE, asking).await {
        Ok(keys) => keys,
        Err(_) => panic!("still {:?}", published(writ).await),
    }
}

async fn first_starts_at_once_make_one_key(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, &opening("/open"));
    let (first, second) = tokio::join!(one.serve(), other.serve());
    assert_eq!(published(&first).await, published(&second).await);
    assert_eq!(keys(&one).len(), 1);
    for (issuer, judge) in [(&first, &second), (&second, &first)] {
        let token = issuer.access_token(MAY).await;
        assert_eq!(code(judge, &token).await, "allowed");
    }
    let hash_key = |snapshot: crate::support::feed::Received| snapshot.document["hash_key"].clone();
    assert_eq!(hash_key(first.watch_anew().await.1), hash_key(second.watch_anew().await.1));
}

async fn a_rotation_refuses_no_valid_token(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, &opening("/open"));
    let (first, second) = (one.serve().await, other.serve().await);
    let old = in_state(&one, "active").remove(0);
    let before = first.access_token(MAY).await;
    let (code_of_rotate, answer) = other.run_json(&["keys", "rotate"], "");
    assert_eq!(code_of_rotate, 0, "{answer}");
    let next = answer["next"].as_str().unwrap().to_owned();
    let again = one.run_json(&["keys", "rotate"], "").1;
    assert_eq!(again["next"], next.as_str(), "one at a time, whoever asks");

    // Each token is shown to both at once, from the first of the old key to several of the new one at each replica.
    let mut fresh = [0, 0];
    let rotating = async {
        while fresh.iter().any(|count| *count < 5) {
            for (index, issuer) in [&first, &second].into_iter().enumerate() {
                let token = issuer.access_token(MAY).await;
                let signed_by = kid(&token);
                assert!(signed_by == old || signed_by == next, "{signed_by}");
                fresh[index] += u32::from(signed_by == next);
                for judge in [&first, &second] {
                    assert_eq!(code(judge, &token).await, "allowed", "{signed_by} at {index}");
                    assert_eq!(code(judge, &before).await, "allowed");
                }
            }
        }
    };
    timeout(PATIENCE, rotating).await.expect("the next key never signs");
    assert_eq!(
        (in_state(&one, "active"), in_state(&one, "retired")),
        (vec![next.clone()], vec![old.clone()])
    );
    for writ in [&first, &second] {
        assert_eq!(published(writ).await, BTreeSet::from([old.clone(), next.clone()]));
    }
    assert_eq!(kid(&second.access_token(MAY).await), next);
}

async fn a_withdrawn_key_is_refused_everywhere_and_no_other(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let other = replica(&database, &one, &opening("/open"));
    let (first, second) = (one.serve().await, other.serve().await);
    let leaked = in_state(&one, "active").remove(0);
    let bad = second.access_token(MAY).await;
    let (mut watch, _) = second.watch_anew().await;

    let (done, answer) = one.run_json(&["keys", "withdraw", &leaked, "--reason", "in a backup"], "");
    assert_eq!((done, &answer["changed"]), (0, &true.into()), "{answer}");
    let active = answer["active"].as_str().unwrap().to_owned();
    assert_ne!(active, leaked);
    // Where it was withdrawn nothing is waited for.
    assert_ne!(code(&first, &bad).await, "allowed");
    // Wherever it is asked, the key signs nothing any more: also before the other replica has heard of it.
    let good = second.access_token(MAY).await;
    assert_eq!(kid(&good), active);
    assert_eq!(code(&first, &good).await, "allowed");
    refused(&second, &bad).await;
    assert_ne!(code(&first, &bad).await, "allowed");
    for writ in [&first, &second] {
        until_published(writ, |keys| *keys == BTreeSet::from([active.clone()])).await;
        let token = writ.access_token(MAY).await;
        assert_eq!((kid(&token), code(&first, &token).await), (active.clone(), "allowed".to_owned()));
        assert_eq!(code(&second, &token).await, "allowed");
    }
    // Data planes are told, too.
    loop {
        let snapshot = watch.snapshot().await;
        let kids: Vec<_> =
            snapshot.document["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        if kids == [active.as_str()] {
            break;
        }
    }

    let (done, answer) = other.run_json(&["keys", "withdraw", &leaked], "");
    assert_eq!((done, &answer["changed"], &answer["active"]), (0, &false.into(), &active.as_str().into()));
    let unknown = other.run(&["keys", "withdraw", "-unknown"]);
    assert_eq!(unknown.status.code(), Some(1), "{unknown:?}");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("unknown_key"), "{unknown:?}");
    let key = keys(&other).into_iter().find(|key| key["kid"] == leaked.as_str()).unwrap();
    assert_eq!(key["state"], "withdrawn");
    // It stays so.
    first.stop().await;
    let first = one.serve().await;
    assert_ne!(code(&first, &bad).await, "allowed");
    assert_eq!(code(&first, &good).await, "allowed");
}

async fn a_key_changes_by_its_age_and_is_forgotten_after_its_last_token(database: Database) {
    let one = first_replica(&database, &opening("/open"));
    let writ = one.serve().await;
    let old = in_state(&one, "active").remove(0);
    let token = writ.access_token(MAY).await;
    database.execute("UPDATE signing_keys SET active_at = 1; UPDATE store SET keys = keys + 1").await;
    until_published(&writ, |keys| keys.len() == 2).await;
    let rotating = async {
        while in_state(&one, "active") == [old.clone()] {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, rotating).await.expect("the key does not change");
    assert_eq!(in_state(&one, "retired"), std::slice::from_ref(&old));
    assert_eq!(code(&writ, &token).await, "allowed");
    assert!(writ.metric(r#"writ_signing_keys{state="retired"} 1"#).await);
    assert!(writ.metric("writ_key_rotations_total 1").await);

    database
        .execute(
            "UPDATE signing_keys SET last_exp = 1 WHERE state = 'retired'; UPDATE store SET keys = keys + 1",
        )
        .await;
    until_published(&writ, |keys| !keys.contains(&old)).await;
    assert_eq!(refused(&writ, &token).await, "unknown_key");
    assert_eq!(keys(&one).len(), 1);
}

/// A data plane that does not know the next key keeps it from signing.
#[tokio::test]
async fn the_next_key_waits_for_data_planes() {
    let policy =
        opening("/open").replace("    audience: mesh\n", "    audience: mesh\n    max_staleness: 1h\n");
    let setup = Setup::bare().write("policies/logs.yaml", &policy);
    let writ = setup.serve().await;
    let old = in_state(&setup, "active");
    let (mut watch, snapshot) = writ.watch_anew().await;
    watch.ack(snapshot.version).await;
    let (_, answer) = setup.run_json(&["keys", "rotate"], "");
    let next = [answer["next"].as_str().unwrap().to_owned()];
    let snapshot = watch.snapshot().await;
    assert_eq!(snapshot.document["keys"].as_array().unwrap().len(), 2);
    // Two heartbeats are more than the time in which every replica has read the store.
    for _ in 0..2 {
        watch.heartbeat().await;
    }
    assert_eq!((in_state(&setup, "active"), in_state(&setup, "next")), (old.clone(), next.to_vec()));
    watch.ack(snapshot.version).await;
    let rotating = async {
        while in_state(&setup, "active") != next {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, rotating).await.expect("the next key never signs");
    assert_eq!(in_state(&setup, "retired"), old);
}

#[tokio::test]
async fn keys_are_for_operators() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let kid = in_state(&setup, "active").remove(0);
    for authorization in ["", &bearer, &crate::support::http::basic("hashed", "hashed-secret")] {
        for (method, path) in [
            (http::Method::GET, "/v1/keys"),
            (http::Method::POST, "/v1/keys/rotate"),
            (http::Method::POST, &format!("/v1/keys/{kid}/withdraw")),
        ] {
            let headers = [("authorization", authorization)];
            let headers = if authorization.is_empty() { &[][..] } else { &headers };
            let answer = crate::support::http::send(writ.http, method, path, headers, "").await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.body);
        }
    }
    assert_eq!(in_state(&setup, "active"), [kid]);
}
