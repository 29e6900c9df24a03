//! Keys that an earlier release left in files: the first start takes them into the store.

use serde_json::Value;
use test_databases::Database;

use crate::support::{MAY, Setup, http::get};

/// The private key of RFC 8410 section 10.3.
pub(crate) const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
/// The second key of RFC 8032 section 7.1.
const OTHER_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                         MC4CAQAwBQYDK2VwBCIEIEzNCJsoKgW5Ip5pgZ4PUQ7D5Z7nLKmCSZbZXo6e8Sb7\n\
                         -----END PRIVATE KEY-----\n";
const HASH_KEY: &str = "AAECAwQFBgcICQoLDA0ODw";
const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";

/// The `kid` that a key file must be named after, as the server says.
pub(crate) fn kid_of(pem: &str) -> String {
    let setup = Setup::new().write_secret("writ-data/keys/unknown.pem", pem);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 64, "{stderr}");
    let (_, name) = stderr.split_once("holds the key `").unwrap();
    name.split_once('`').unwrap().0.to_owned()
}

async fn published(writ: &crate::support::Writ) -> std::collections::BTreeSet<String> {
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn keys_of_an_earlier_release_go_on() {
    let (kid, other) = (kid_of(PEM), kid_of(OTHER_PEM));
    let setup = Setup::new()
        .write_secret(&format!("writ-data/keys/{kid}.pem"), PEM)
        .write_secret(&format!("writ-data/keys/{other}.pem"), OTHER_PEM)
        .write("writ-data/keys/active", &format!("{kid}\n"))
        .write_secret("writ-data/keys/hash.key", HASH_KEY);
    let mut writ = setup.serve().await;
    writ.log("should be removed").await;
    let both = std::collections::BTreeSet::from([kid.clone(), other.clone()]);
    assert_eq!(published(&writ).await, both);
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    let (_, snapshot) = writ.watch_anew().await;
    assert_eq!(snapshot.document["hash_key"], HASH_KEY);
    writ.stop().await;

    // They are not read again, nor missed.
    for name in [&format!("{kid}.pem"), &format!("{other}.pem"), "active", "hash.key"] {
        std::fs::remove_file(setup.data("keys").join(name)).unwrap();
    }
    let writ = setup.write_secret("writ-data/keys/unknown.pem", "rubbish");
    let writ = writ.serve().await;
    assert_eq!(published(&writ).await, both);
    assert_eq!(writ.check("GET", OBJECT, &[("authorization", &bearer)]).await.status, 200);
    assert_eq!(writ.watch_anew().await.1.document["hash_key"], HASH_KEY);
}

/// Whoever took a key that was withdrawn since must not be given it back with a backup from before.
#[tokio::test]
async fn a_restored_store_takes_no_key_from_files() {
    let kid = kid_of(PEM);
    let setup = Setup::new().write_secret(&format!("writ-data/keys/{kid}.pem"), PEM);
    let writ = setup.serve().await;
    assert_eq!(published(&writ).await, [kid.clone()].into());
    assert_eq!(setup.run_json(&["backup", "one.backup"], "").0, 0);
    writ.stop().await;
    assert_eq!(setup.run_json(&["restore", "--force", "one.backup"], "").0, 0);
    let writ = setup.serve().await;
    let kids = published(&writ).await;
    assert!(kids.len() == 1 && !kids.contains(&kid), "{kids:?}");
    let bearer = format!("Bearer {}", writ.access_token(MAY).await);
    assert_eq!(writ.check("GET", OBJECT, &[("authorization", &bearer)]).await.status, 200);
}

#[tokio::test]
async fn a_withdrawn_key_is_not_taken_from_files() {
    let (kid, other) = (kid_of(PEM), kid_of(OTHER_PEM));
    for (withdrawn, is_used) in [(&kid, false), (&other, true)] {
        let database = Database::sqlite();
        let setup = Setup::new().config(&format!("store: {}\n", database.url()));
        setup.serve().await.stop().await;
        // As if it had never been served from.
        database.execute("DELETE FROM signing_keys").await;
        database.execute("UPDATE store SET keys = 0, revocation = revocation + 1").await;
        let revoke = format!(
            "INSERT INTO revocations (seq, level, name, revoked_by, revoked_at) \
             SELECT revocation, 'key', '{withdrawn}', 'o', 1 FROM store"
        );
        database.execute(&revoke).await;
        let setup = setup
            .write_secret(&format!("writ-data/keys/{kid}.pem"), PEM)
            .write_secret(&format!("writ-data/keys/{other}.pem"), OTHER_PEM)
            .write("writ-data/keys/active", &kid);
        let mut writ = setup.serve().await;
        writ.log("that are withdrawn").await;
        let kids = published(&writ).await;
        assert!(!kids.contains(withdrawn), "{kids:?}");
        assert_eq!((kids.len(), kids.contains(&kid)), (1, is_used), "{kids:?}");
        let bearer = format!("Bearer {}", writ.access_token(MAY).await);
        assert_eq!(writ.check("GET", OBJECT, &[("authorization", &bearer)]).await.status, 200);
    }
}

/// However it came to be: what data planes refuse is not handed out.
#[tokio::test]
async fn a_revoked_key_signs_nothing() {
    let database = Database::sqlite();
    let setup = Setup::new().config(&format!("store: {}\n", database.url()));
    let writ = setup.serve().await;
    let kid = published(&writ).await.pop_first().unwrap();
    assert_eq!(writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await.status, 201);
    let revoke = format!(
        "INSERT INTO revocations (seq, level, name, revoked_by, revoked_at) \
         SELECT revocation + 1, 'key', '{kid}', 'o', 1 FROM store; UPDATE store SET revocation = revocation + 1"
    );
    database.execute(&revoke).await;
    assert_eq!(writ.start_task(&format!(r#"{{"grants":[{MAY}]}}"#)).await.status, 403);
}

#[tokio::test]
async fn of_several_keys_one_is_chosen() {
    let (kid, other) = (kid_of(PEM), kid_of(OTHER_PEM));
    let setup = Setup::new()
        .write_secret(&format!("writ-data/keys/{kid}.pem"), PEM)
        .write_secret(&format!("writ-data/keys/{other}.pem"), OTHER_PEM);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!((code, stderr.contains("several signing keys")), (64, true), "{stderr}");

    let setup = setup.write("writ-data/keys/active", &format!("{other}\n"));
    let _writ = setup.serve().await;
    let (code, listed) = setup.run_json(&["keys", "list"], "");
    let state = |kid: &str| -> Value {
        let mut keys = listed["keys"].as_array().unwrap().iter();
        keys.find(|key| key["kid"] == kid).unwrap()["state"].clone()
    };
    assert_eq!((code, state(&kid), state(&other)), (0, "retired".into(), "active".into()));
}

#[test]
fn what_is_no_key_is_refused() {
    for content in ["", "rubbish", &PEM.replace("PRIVATE KEY", "PUBLIC KEY"), &PEM.replace("MC4C", "MC5C")] {
        let setup = Setup::new().write_secret("writ-data/keys/a.pem", content);
        let (code, stderr) = setup.refuse_to_serve();
        assert_eq!(code, 64, "{stderr}");
        assert!(stderr.contains("keys/a.pem`: not "), "{stderr}");
        assert!(
            !stderr.contains("rubbish") && !stderr.contains("MC4C"),
            "a key's text is not shown: {stderr}"
        );
    }
}

#[tokio::test]
async fn a_key_that_others_may_use_is_refused() {
    let key = format!("writ-data/keys/{}.pem", kid_of(PEM));
    let setup = Setup::new().write_secret(&key, PEM).write_secret("writ-data/keys/hash.key", HASH_KEY);
    // In the order in which they are read, so that none is taken over before.
    for (name, mode) in [("writ-data/keys/hash.key", 0o644), (&key, 0o640), (&key, 0o604), (&key, 0o602)] {
        setup.set_mode(name, mode);
        let (code, stderr) = setup.refuse_to_serve();
        assert_eq!(code, 64, "{stderr}");
        assert!(stderr.contains(name) && stderr.contains(&format!("mode {mode:o}")), "{stderr}");
        setup.set_mode(name, 0o600);
    }
    setup.serve().await;
}
