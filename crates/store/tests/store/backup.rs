//! Backups: from either database into either, and never with less said than there was.

use std::{
    collections::BTreeMap,
    io::{self, Cursor},
};

use store::{
    KeyChange, KeyState, Level, NewGeneration, Restore, RestoreError, SigningKey, Store, TaskState, Write,
};
use test_databases::Database;

use crate::{
    databases::open,
    ledger::{
        limits::{limit, limited, used},
        support::{Ledgers as _, NOW, chain, complete, event, ledger, revocation, task},
    },
};

/// Every pair of databases is a test.
macro_rules! from_each_to_each {
    ($($name:ident),* $(,)?) => {
        from_each_to_each!(@ sqlite_to_sqlite, sqlite, sqlite, $($name),*);
        from_each_to_each!(@ sqlite_to_postgres, sqlite, postgres, $($name),*);
        from_each_to_each!(@ postgres_to_sqlite, postgres, sqlite, $($name),*);
        from_each_to_each!(@ postgres_to_postgres, postgres, postgres, $($name),*);
    };
    (@ $pair:ident, $from:ident, $to:ident, $($name:ident),*) => {
        mod $pair {
            use test_databases::Database;
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(Database::$from(), Database::$to()).await;
                }
            )*
        }
    };
}

from_each_to_each! {
    what_was_backed_up_is_restored,
    what_is_there_is_replaced_only_on_purpose,
}

crate::databases::over_both! {
    a_damaged_backup_changes_nothing,
    a_store_that_is_served_is_not_restored,
}

async fn backed_up(store: &Store) -> Vec<u8> {
    let mut backup = Vec::new();
    store.backup(&mut backup).await.unwrap();
    backup
}

fn usable(_: &BTreeMap<String, String>) -> Result<(), io::Error> {
    Ok(())
}

fn at(now: u64, force: bool) -> Restore {
    Restore { now, force }
}

fn key(kid: &str) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        alg: "EdDSA".into(),
        public_key: "public".into(),
        sealed: Some("sealed".into()),
        state: KeyState::Active,
        created_at: NOW,
        active_at: Some(NOW),
        retired_at: None,
        last_exp: None,
    }
}

/// A store with something in every table.
async fn filled(database: &Database) -> Store {
    let (ledger, store) = (ledger(database, "before").await, open(database).await);
    let sources = r#"{"ä":"'\\\n"}"#;
    let generation = NewGeneration {
        number: 7,
        digest: "d",
        directory_digest: "d",
        sources,
        published_at: NOW,
        published_by: "test",
    };
    store.publish(store.head().await.unwrap(), generation).await.unwrap();
    store.add_secret("client", "hash", NOW, || Ok(())).await.unwrap();
    store.add_sealed_secret("audit", "sealed", NOW).await.unwrap();
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", None)] {
        ledger.started(task(id, parent)).await;
    }
    ledger.done(complete("c")).await;
    ledger.done(limited("d", None, vec![limit("d", "g1", 3)])).await;
    ledger.done(used(&["d"], "g1", "decision")).await;
    ledger.done(complete("d")).await;
    for name in ["x", "y"] {
        ledger.revoked(revocation(Level::Agent, name)).await;
    }
    ledger.done(crate::ledger::support::lift(Level::Agent, "y")).await;
    ledger.done(Write::Keys(KeyChange { put: vec![key("old")], ..KeyChange::default() })).await;
    ledger.write(Write::Note, event("last")).await.unwrap();
    store
}

async fn what_was_backed_up_is_restored(from: Database, to: Database) {
    let source = filled(&from).await;
    let backup = backed_up(&source).await;
    let text = String::from_utf8(backup.clone()).unwrap();
    assert!(text.starts_with(r#"{"writ_backup":1,"schema":3,"#), "{text}");
    let store = open(&to).await;
    let restored = store.restore(&mut Cursor::new(&backup), at(NOW + 50, false), usable).await.unwrap();
    assert_eq!((restored.backup_epoch, restored.ended_tasks, restored.head.keys), (1, 2, 0));
    // A new epoch, later than any that a store could have had that was lost; and places go on likewise.
    assert_eq!((restored.head.epoch, restored.head.min_iat), (NOW + 51, NOW + 51));
    assert_eq!((restored.head.latest, restored.head.revocation), (7, NOW + 50));
    assert_eq!(store.head().await.unwrap(), restored.head);
    assert_eq!(store.contents().await.unwrap().policy, source.contents().await.unwrap().policy);
    assert_eq!(store.secrets().await.unwrap(), source.secrets().await.unwrap());
    assert_eq!(store.sealed_secrets().await.unwrap(), source.sealed_secrets().await.unwrap());
    assert_eq!(store.keys().await.unwrap().keys, [], "one of them may have been withdrawn since");
    for id in ["a", "b"] {
        let (mut was, is) = (source.task(id).await.unwrap().unwrap(), store.task(id).await.unwrap().unwrap());
        (was.state, was.ended_at) = (TaskState::Revoked, Some(NOW + 50));
        assert_eq!(is, was, "nobody knows whether it has ended since");
    }
    assert_eq!(store.task("c").await.unwrap(), source.task("c").await.unwrap());
    assert_eq!(store.changes(0, 99).await.unwrap().changes, source.changes(0, 99).await.unwrap().changes);
    assert_eq!(chain(&store, "before").await, chain(&source, "before").await);
    for row in [
        r#"{"table":"limits","row":{"task":"d","id":"g1","uses":3,"used":1,"#,
        r#"{"table":"uses","row":{"decision":"decision","remaining":2,"#,
    ] {
        assert!(text.contains(row), "{row}");
        assert!(String::from_utf8(backed_up(&store).await).unwrap().contains(row), "{row}");
    }
    // It is gone on with.
    let ledger = ledger(&to, "after").await;
    let (revocation, _) = ledger.revoked(revocation(Level::Subject, "z")).await;
    assert_eq!(revocation.seq, NOW + 51);
    chain(&store, "after").await;
    // Such a backup is a backup.
    let again = backed_up(&store).await;
    let second = source.restore(&mut Cursor::new(&again), at(NOW, true), usable).await.unwrap();
    assert_eq!(second.head.epoch, NOW + 52);
}

async fn what_is_there_is_replaced_only_on_purpose(from: Database, to: Database) {
    let source = open(&from).await;
    let first = ledger(&from, "a").await;
    first.revoked(revocation(Level::Agent, "both")).await;
    first.revoked(revocation(Level::Agent, "backup")).await;
    let backup = backed_up(&source).await;
    let store = filled(&to).await;
    let second = ledger(&to, "a").await;
    second.revoked(revocation(Level::Agent, "both")).await;
    let before = backed_up(&store).await;
    let refused = store.restore(&mut Cursor::new(&backup), at(NOW, false), usable).await.unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty(_)), "{refused}");
    assert_eq!(backed_up(&store).await, before);
    let restored = store.restore(&mut Cursor::new(&backup), at(NOW, true), usable).await.unwrap();
    assert_eq!((restored.head.latest, restored.head.epoch), (0, NOW + 1));
    assert_eq!(store.task("a").await.unwrap(), None);
    assert_eq!(store.contents().await.unwrap().policy, None);
    // What was revoked stays revoked, each once.
    let live = store.live_revocations(NOW).await.unwrap().changes;
    let mut names: Vec<_> = live.iter().map(|change| change.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["backup", "both", "c", "d", "x"]);
    assert!(live.iter().all(|change| change.seq <= restored.head.revocation), "{live:?}");
    // What was recorded stays recorded.
    assert!(!chain(&store, "before").await.is_empty());
}

async fn a_damaged_backup_changes_nothing(database: Database) {
    let store = filled(&database).await;
    let backup = backed_up(&store).await;
    let lines: Vec<&[u8]> = backup.split_inclusive(|byte| *byte == b'\n').collect();
    let count = lines.len();
    let newer = String::from_utf8(lines[0].to_vec()).unwrap().replace("\"schema\":3", "\"schema\":99");
    let changed =
        String::from_utf8(backup.clone()).unwrap().replacen(r#""agent":"agent""#, r#""agent":"other""#, 1);
    let stranger = String::from_utf8(backup.clone()).unwrap().replacen("\"tasks\"", "\"store\"", 1);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no backup", Vec::new()),
        ("no backup", b"{}\n".to_vec()),
        ("newer version", newer.into_bytes()),
        ("last line is missing", lines[..count - 1].concat()),
        ("no backup", backup[..backup.len() / 2].to_vec()),
        ("does not fit", [&lines[..count - 2], &lines[count - 1..]].concat().concat()),
        ("does not fit", changed.into_bytes()),
        ("no table `store`", stranger.into_bytes()),
        ("goes on", [&lines[..], &lines[1..2]].concat().concat()),
    ];
    for (said, damaged) in cases {
        let error = store.restore(&mut Cursor::new(&damaged), at(NOW, true), usable).await.unwrap_err();
        assert!(error.to_string().contains(said), "{said}: {error}");
        assert_eq!(backed_up(&store).await, backup, "{said}");
    }
}

async fn a_store_that_is_served_is_not_restored(database: Database) {
    let store = filled(&database).await;
    let backup = backed_up(&store).await;
    store.replica_is_there("node.1", NOW, 0).await.unwrap();
    let error = store.restore(&mut Cursor::new(&backup), at(NOW + 30, true), usable).await.unwrap_err();
    assert!(matches!(&error, RestoreError::Served(server) if server == "node.1"), "{error}");
    store.restore(&mut Cursor::new(&backup), at(NOW + 31, true), usable).await.unwrap();
}
