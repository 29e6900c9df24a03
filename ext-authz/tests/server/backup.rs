//! `writ backup`, `writ restore` and `writ migrate`, beside servers and in their absence.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;
use test_databases::Database;

use crate::support::{
    MAY, Setup,
    http::get,
    policy::opening,
    replicas::{first_replica, over_both},
};

over_both! {
    a_backup_is_restored_as_a_new_epoch,
    a_store_is_brought_up_to_date,
    a_store_of_a_newer_version_is_left_alone,
}

fn done(setup: &Setup, arguments: &[&str]) -> Value {
    let (code, answer) = setup.run_json(arguments, "");
    assert_eq!(code, 0, "{arguments:?}: {answer}");
    answer
}

fn refused(setup: &Setup, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = setup.run_with(arguments, "");
    assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
    stderr
}

async fn a_backup_is_restored_as_a_new_epoch(database: Database) {
    let setup = first_replica(&database, &opening("/open"));
    let writ = setup.serve().await;
    let generation = writ.generation().await;
    let old_keys = get(writ.http, "/.well-known/jwks.json").await.body;
    // Beside a running server.
    let backup = done(&setup, &["backup", "one.backup"]);
    assert_eq!((&backup["generation"], &backup["epoch"]), (&generation.into(), &1.into()));
    let mode = fs::metadata(setup.path("one.backup")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let again = refused(&setup, &["backup", "one.backup"]);
    assert!(again.contains("cannot make `one.backup`") && again.contains("exists"), "{again}");
    // A server that runs is not restored under its feet.
    let served = refused(&setup, &["restore", "--force", "one.backup"]);
    assert!(served.contains("is in use by another server"), "{served}");
    writ.stop().await;
    let used = refused(&setup, &["restore", "one.backup"]);
    assert!(used.contains("is not empty") && used.contains("--force"), "{used}");
    let restored = done(&setup, &["restore", "--force", "one.backup"]);
    assert!(restored["epoch"].as_u64() > Some(1) && restored["min_iat"].as_u64() > Some(1), "{restored}");
    let writ = setup.serve().await;
    assert_eq!(writ.generation().await, generation, "the policy is the one that was backed up");
    let new_keys = get(writ.http, "/.well-known/jwks.json").await.body;
    assert_ne!(new_keys, old_keys, "nobody knows whether one of the old ones was withdrawn");
    let (_, log) = setup.run_json(&["audit", "query"], "");
    let told = log.to_string();
    assert!(told.contains("\"restored\"") && told.contains(&restored["epoch"].to_string()), "{log}");
    writ.stop().await;
}

#[tokio::test]
async fn no_token_from_before_passes() {
    let setup = Setup::new();
    let issue = || {
        let issue = ["token", "issue", "--client", "hashed", "--secret-file", "-", "--grant", MAY];
        let (code, token, stderr) = setup.run_with(&issue, "hashed-secret");
        assert_eq!(code, 0, "{stderr}");
        token
    };
    let verify = |token: &str| setup.run_with(&["token", "verify"], token).0;
    let writ = setup.serve().await;
    let before = issue();
    assert_eq!(verify(&before), 0);
    done(&setup, &["backup", "one.backup"]);
    writ.stop().await;
    done(&setup, &["restore", "--force", "one.backup"]);
    let writ = setup.serve().await;
    assert_eq!((verify(&before), verify(&issue())), (1, 0));
    writ.stop().await;
}

async fn a_store_is_brought_up_to_date(database: Database) {
    let setup = first_replica(&database, &opening("/open"));
    if let Database::Sqlite(_) = database {
        let missing = refused(&setup, &["migrate"]);
        assert!(
            missing.contains("there is no store") && missing.contains("`writ serve` makes one"),
            "{missing}"
        );
        let missing = refused(&setup, &["backup", "one.backup"]);
        assert!(missing.contains("there is no store"), "{missing}");
        assert!(!setup.path("one.backup").exists());
        setup.serve().await.stop().await;
    } else {
        assert_eq!(done(&setup, &["migrate"])["from"], 0);
    }
    let migrated = done(&setup, &["migrate"]);
    assert_eq!((&migrated["from"], &migrated["to"]), (&3.into(), &3.into()));
    assert!(migrated["store"].is_string());
}

async fn a_store_of_a_newer_version_is_left_alone(database: Database) {
    let setup = first_replica(&database, &opening("/open"));
    setup.serve().await.stop().await;
    done(&setup, &["backup", "one.backup"]);
    database.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    for command in [&["migrate"][..], &["backup", "two.backup"], &["restore", "--force", "one.backup"]] {
        let said = refused(&setup, command);
        assert!(said.contains("newer version of Writ"), "{command:?}: {said}");
    }
    assert!(!setup.path("two.backup").exists(), "half a backup is none");
}

/// A store in whose place came what nobody can decrypt would be lost.
#[tokio::test]
async fn what_the_key_encryption_key_does_not_open_replaces_nothing() {
    const KEK: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let setup = Setup::new().write_secret("kek", KEK).config("key_encryption: {file: kek}\n");
    let writ = setup.serve().await;
    let keys = get(writ.http, "/.well-known/jwks.json").await.body;
    done(&setup, &["backup", "one.backup"]);
    writ.stop().await;
    let setup = setup.write_secret("other", &KEK.replace("00", "ff"));
    let configure = |yaml: &str| fs::write(setup.path("writ.yaml"), yaml).unwrap();
    for (key, said) in [
        ("key_encryption: {file: gone}", "`gone`"),
        ("key_encryption: {file: other}", "it is another key"),
        ("key_encryption: {env: WRIT_TEST_KEK}", "is not set"),
        ("key_encryption: {command: [\"false\"]}", "`false` ended with"),
        // Nor is a new one made.
        ("", "put it back"),
    ] {
        configure(key);
        let (code, stdout, stderr) = setup.run_with(&["restore", "--force", "one.backup"], "");
        assert_eq!((code, stdout.as_str()), (64, ""), "{key}: {stderr}");
        assert!(stderr.contains(said) && !stderr.contains(KEK), "{key}: {stderr}");
    }
    assert!(!setup.data("keys/kek").exists());
    configure("key_encryption: {file: kek}");
    let writ = setup.serve().await;
    assert_eq!(get(writ.http, "/.well-known/jwks.json").await.body, keys, "the store is as it was");
    writ.stop().await;
    assert!(done(&setup, &["restore", "--force", "one.backup"])["epoch"].as_u64() > Some(1));
}

#[test]
fn what_is_no_backup_is_told() {
    let setup = Setup::bare().write("not.backup", "{\"some\": \"thing\"}\n");
    let said = refused(&setup, &["restore", "not.backup"]);
    assert!(said.contains("no backup of a store"), "{said}");
    let said = refused(&setup, &["restore", "missing.backup"]);
    assert!(said.contains("cannot read `missing.backup`"), "{said}");
}
