//! What has ended goes, and what must be remembered of it stays.

use store::{Level, NewRevocation, NewTask, Pruned, Retention};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, chain_key, complete, ledger, lift, revocation, task};
use crate::databases::{open, over_both};

over_both! {
    what_has_ended_is_removed,
    a_chain_goes_on_from_what_was_removed,
}

const RETENTION: Retention = Retention { tasks: 100, audit: 1000 };

async fn what_has_ended_is_removed(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    ledger.started(NewTask { expires_at: NOW + 10, ..task("b", Some("a")) }).await;
    ledger.done(complete("a")).await;
    for name in ["x", "y"] {
        ledger.revoked(revocation(Level::Agent, name)).await;
    }
    ledger.revoked(NewRevocation { expires_at: Some(NOW + 10), ..revocation(Level::Token, "x") }).await;
    ledger.done(lift(Level::Agent, "y")).await;
    database.execute("INSERT INTO replicas (id, seen_at, keys_acked) VALUES ('gone', 1, 0)").await;
    let at = async |now| store.prune(now, RETENTION, &chain_key()).await.unwrap();
    let nothing = Pruned::default();
    assert_eq!(at(NOW).await, Pruned { replicas: 1, ..nothing });
    assert_eq!(at(NOW + 69).await, nothing);
    assert_eq!(at(NOW + 70).await, Pruned { revocations: 1, ..nothing });
    assert_eq!(at(NOW + 102).await, Pruned { revocations: 1, ..nothing }, "the one that was lifted");
    assert_eq!(at(NOW + 110).await, Pruned { tasks: 1, ..nothing });
    assert_eq!(at(NOW + 725).await, Pruned { revocations: 1, tasks: 1, ..nothing });
    let left = store.changes(0, 10).await.unwrap();
    assert_eq!((left.head.revocation, left.changes.len()), (5, 1), "{left:?}");
    assert_eq!(at(NOW + 1_000_000_000).await.revocations, 0, "an agent stays revoked until it is lifted");
}

async fn a_chain_goes_on_from_what_was_removed(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let key = chain_key();
    for name in ["1", "2", "3"] {
        ledger.started(task(name, None)).await;
    }
    database.execute("UPDATE audit_batches SET sealed_at = seq * 1000000 WHERE seq < 3").await;
    let removed = store.prune(2000, RETENTION, &key).await.unwrap();
    assert_eq!(removed, Pruned { audit_batches: 1, ..Pruned::default() });
    let known = store.audit_writers().await.unwrap().remove(0);
    let left = store.audit_chain("a", 0, 10).await.unwrap();
    assert_eq!((known.pruned.seq, left[0].seq, left.len()), (1, 2, 2));
    assert_eq!(known.pruned.hash, left[0].previous);
    assert!(known.pruned.is_keyed(&key, "a") && !known.pruned.is_keyed(&key, "b"));
    store.prune(3000, RETENTION, &key).await.unwrap();
    let known = store.audit_writers().await.unwrap().remove(0);
    let left = store.audit_chain("a", 0, 10).await.unwrap();
    assert_eq!((known.pruned.seq, left.len(), known.pruned.hash), (2, 1, left[0].previous));
    // The rest is of today.
    ledger.started(task("4", None)).await;
    assert_eq!(store.audit_chain("a", 3, 10).await.unwrap()[0].previous, left[0].hash);
}
