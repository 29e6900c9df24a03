//! What has ended goes, and what must be remembered of it stays.

use std::time::{SystemTime, UNIX_EPOCH};

use audit::{Batch, Chain, ChainKey, Claims, Verifier};
use store::{Ledger, Level, NewLimit, NewRevocation, NewTask, Pruned, Retention, Store, Used, Written};
use test_databases::Database;

use super::{
    limits::{counted, limit, limited, used},
    support::{Ledgers as _, NOW, chain_key, complete, event, ledger, lift, revocation, task},
};
use crate::databases::{location, open, over_both};

over_both! {
    what_has_ended_is_removed,
    limits_go_after_their_last_token_and_answers_after_ten_minutes,
    a_chain_goes_on_from_what_was_removed,
    nothing_goes_for_an_age_that_somebody_wrote,
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

async fn limits_go_after_their_last_token_and_answers_after_ten_minutes(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let short = NewLimit { expires_at: NOW + 10, ..limit("a", "g1.1", 2) };
    ledger.done(limited("a", None, vec![limit("a", "g1", 2)])).await;
    ledger.done(limited("b", Some("a"), vec![short])).await;
    assert_eq!(ledger.done(used(&["a"], "g1", "1")).await, counted(1));
    let at = async |now| store.prune(now, RETENTION, &chain_key()).await.unwrap();
    let nothing = Pruned::default();
    assert_eq!(at(NOW + 109).await, nothing);
    assert_eq!(at(NOW + 110).await, Pruned { limits: 1, ..nothing });
    assert_eq!(at(NOW + 599).await, nothing);
    assert_eq!(
        ledger.done(used(&["a"], "g1", "1")).await,
        Written::Used(Used::Counted { left: 1, is_new: false })
    );
    assert_eq!(at(NOW + 600).await, Pruned { uses: 1, ..nothing });
    assert_eq!(ledger.done(used(&["a"], "g1", "1")).await, counted(0), "nobody asks again so late");
}

async fn a_chain_goes_on_from_what_was_removed(database: Database) {
    let store = open(&database).await;
    let key = chain_key();
    let ledger = ledger_after(&database, &[1000, 2000, 2500]).await;
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

/// Whoever can write to the database has no key, and gets none to work for them.
async fn nothing_goes_for_an_age_that_somebody_wrote(database: Database) {
    let store = open(&database).await;
    let key = chain_key();
    let _ledger = ledger_after(&database, &[1000, 5000, 6000, 7000]).await;
    let suspect = Pruned { suspect_chains: 1, ..Pruned::default() };
    for (edit, back) in [
        (
            "UPDATE audit_batches SET sealed_at = 0 WHERE seq = 3",
            "UPDATE audit_batches SET sealed_at = 6000000 WHERE seq = 3",
        ),
        (
            "UPDATE audit_batches SET sealed_at = 0",
            "UPDATE audit_batches SET sealed_at = 6000000 WHERE seq = 3",
        ),
    ] {
        database.execute(edit).await;
        let removed = store.prune(2000, RETENTION, &key).await.unwrap();
        assert_eq!((removed, store.audit_chain("a", 0, 10).await.unwrap().len()), (suspect, 4), "{edit}");
        assert_eq!(store.audit_writers().await.unwrap()[0].pruned.seq, 0);
        assert!(!is_clean(&store, &key).await, "{edit}");
        database.execute(back).await;
    }
    for (seq, sealed_at) in [(1, 1_000_000), (2, 5_000_000), (4, 7_000_000)] {
        database
            .execute(&format!("UPDATE audit_batches SET sealed_at = {sealed_at} WHERE seq = {seq}"))
            .await;
    }
    assert!(is_clean(&store, &key).await);
    // A chain that claims to have been removed up to a place, in words of nobody with the key.
    database.execute("UPDATE audit_writers SET pruned_seq = 3").await;
    assert_eq!(store.prune(2000, RETENTION, &key).await.unwrap(), suspect);
    database.execute("UPDATE audit_writers SET pruned_seq = 0").await;
    // With another key nothing is authentic.
    let other = ChainKey::from_bytes([8; 32]);
    assert_eq!(store.prune(2000, RETENTION, &other).await.unwrap(), suspect);
    let removed = store.prune(2000, RETENTION, &key).await.unwrap();
    assert_eq!(removed, Pruned { audit_batches: 1, ..Pruned::default() });
    assert!(is_clean(&store, &key).await);
}

/// A replica whose clock is ahead removes nothing that the others still need.
#[tokio::test]
async fn the_database_s_clock_counts_where_it_has_one() {
    let database = Database::postgres();
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expires_at = Some(now + 600);
    ledger.revoked(NewRevocation { now, expires_at, ..revocation(Level::Token, "x") }).await;
    ledger.started(NewTask { created_at: now, expires_at: now + 600, ..task("a", None) }).await;
    assert_eq!(store.prune(now + 100_000, RETENTION, &chain_key()).await.unwrap(), Pruned::default());
}

/// A ledger that goes on after batches of these Unix seconds.
async fn ledger_after(database: &Database, sealed_at: &[u64]) -> Ledger {
    let mut chain = Chain::begin("a".to_owned(), chain_key());
    for sealed_at in sealed_at {
        let batch = chain.seal(event("old"), sealed_at * 1000);
        chain.advance(&batch);
        let Batch { writer, seq, sealed_at, events, body, previous, hash, mac } = batch;
        let insert = format!(
            "INSERT INTO audit_batches (writer, seq, sealed_at, events, body, previous, hash, mac) \
             VALUES ('{writer}', {seq}, {sealed_at}, {events}, '{body}', '{previous}', '{hash}', '{mac}')"
        );
        database.execute(&insert).await;
        database.execute("DELETE FROM audit_writers").await;
        let insert = format!(
            "INSERT INTO audit_writers (writer, started_at, head_seq, head_hash, head_mac) \
             VALUES ('{writer}', 1, {seq}, '{hash}', '{mac}')"
        );
        database.execute(&insert).await;
    }
    let (ledger, work) = Ledger::open(location(database), chain).await.unwrap();
    tokio::spawn(work);
    ledger
}

/// Whether the chain of `a` verifies.
async fn is_clean(store: &Store, key: &ChainKey) -> bool {
    let mut verifier = Verifier::new(key.clone(), Claims::new());
    let extent = store.audit_writer("a").await.unwrap().unwrap();
    let mut chain = verifier.chain(extent.clone());
    for batch in store.audit_chain("a", extent.pruned.seq, 100).await.unwrap() {
        chain.batch(&batch);
    }
    chain.end(store.audit_writer("a").await.unwrap());
    verifier.finish().is_clean()
}
