//! A store of an earlier version is brought up to date with what it holds.

use store::{Migrated, Store};
use test_databases::Database;

use crate::{
    databases::{location, over_both},
    ledger::support::{Ledgers as _, ledger, task},
};

over_both! {
    the_first_version_is_brought_up_to_date,
    a_new_store_is_made_up_to_date,
}

/// What the first release made, with a policy and a secret in it.
const FIRST: &str = concat!(
    "CREATE TABLE schema_version (version BIGINT PRIMARY KEY);",
    include_str!("../../src/schema/1.sql"),
    "INSERT INTO schema_version (version) VALUES (1);\
     UPDATE store SET epoch = 3, min_iat = 1600000000, latest_generation = 5;\
     INSERT INTO policy_generations (generation, digest, directory_digest, sources, published_at, published_by) \
     VALUES (5, 'a', 'b', '{}', 1600000000, 'test');\
     INSERT INTO client_secrets (client, secret_sha256, made_at) VALUES ('a', 'hash', 1600000000);"
);

async fn the_first_version_is_brought_up_to_date(database: Database) {
    if let Some(path) = location(&database).path() {
        // For its owner alone, as the server makes it.
        std::fs::write(path, "").unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    database.execute(FIRST).await;
    let old = Store::existing(location(&database)).head().await.unwrap_err().to_string();
    assert!(old.contains("schema is version 1, and 3 is needed"), "{old}");
    let (store, migrated) = Store::migrate(location(&database)).await.unwrap();
    assert_eq!(migrated, Migrated { from: 1, to: 3 });
    let contents = store.contents().await.unwrap();
    let head = contents.head;
    assert_eq!((head.epoch, head.min_iat, head.latest), (3, 1_600_000_000, 5));
    assert_eq!((head.revocation, head.keys), (0, 0));
    assert_eq!(contents.policy.unwrap().number, 5);
    assert_eq!(store.secrets().await.unwrap()["a"], "hash");
    let (_, again) = Store::migrate(location(&database)).await.unwrap();
    assert_eq!(again, Migrated { from: 3, to: 3 });
    let ledger = ledger(&database, "a").await;
    let refused = ledger.refused(crate::ledger::support::start(task("a", None))).await;
    assert!(matches!(refused, store::WriteError::EpochChanged), "{refused:?}");
}

async fn a_new_store_is_made_up_to_date(database: Database) {
    let (_, migrated) = Store::migrate(location(&database)).await.unwrap();
    assert_eq!(migrated, Migrated { from: 0, to: 3 });
}
