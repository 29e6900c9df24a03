//! Replicas that write at once.

use std::{sync::Arc, time::Duration};

use audit::Lines;
use store::{Changed, Ledger, Level, NewRevocation, TaskState, Write, WriteError, Written};
use test_databases::Database;
use tokio::time::timeout;

use super::support::{Ledgers as _, NOW, chain, complete, issue, ledger, lift, revocation, start, task};
use crate::databases::{location, open, over_both};

over_both! {
    no_child_outlives_a_parent_that_another_replica_ends,
    what_one_replica_revoked_the_other_issues_no_more,
    a_reader_misses_no_place,
}

async fn no_child_outlives_a_parent_that_another_replica_ends(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    let store = open(&database).await;
    let mut refused = 0;
    for round in 0..30 {
        let root = format!("root-{round}");
        one.started(task(&root, None)).await;
        let start = async |ledger: &Ledger, name: &str| {
            let child = task(&format!("{root}-{name}"), Some(&root));
            ledger.write(start(child), Lines::new()).await
        };
        let (ended, first, second, third) = tokio::join!(
            one.write(complete(&root), Lines::new()),
            start(&other, "1"),
            start(&other, "2"),
            start(&one, "3"),
        );
        ended.unwrap();
        for child in [first, second, third] {
            match child {
                Ok(_) => {}
                Err(WriteError::TaskEnded(TaskState::Completed)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(store.active_tasks(NOW).await.unwrap(), 0);
    assert!(refused > 0, "at least the one behind it in the same batch");
    chain(&store, "a").await;
    chain(&store, "b").await;
}

async fn what_one_replica_revoked_the_other_issues_no_more(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    for round in 0..10 {
        let (root, leaf) = (format!("root-{round}"), format!("leaf-{round}"));
        one.started(task(&root, None)).await;
        one.started(task(&leaf, Some(&root))).await;
        let path = [root.as_str(), &leaf];
        // Both remember what they read.
        for ledger in [&one, &other] {
            assert_eq!(ledger.done(issue(&path)).await, Written::Done);
        }
        one.revoked(revocation(Level::Subject, "subject")).await;
        assert!(matches!(other.refused(issue(&path)).await, WriteError::Revoked(Level::Subject)));
        other.done(lift(Level::Subject, "subject")).await;
        assert_eq!(one.done(issue(&path)).await, Written::Done);
        one.done(complete(&root)).await;
        // Also for a caller that names the leaf alone.
        for tasks in [&path[..], &path[1..]] {
            let refused = other.refused(issue(tasks)).await;
            assert!(matches!(refused, WriteError::TaskEnded(TaskState::Completed)), "{refused:?}");
        }
    }
}

/// Places are committed in their order, whoever commits.
async fn a_reader_misses_no_place(database: Database) {
    const EACH: u64 = 100;
    let ledgers = [ledger(&database, "a").await, ledger(&database, "b").await];
    let store = Arc::new(open(&database).await);
    let mut writers = Vec::new();
    for (number, ledger) in ledgers.into_iter().enumerate() {
        for name in 0..EACH {
            let ledger = ledger.clone();
            writers.push(tokio::spawn(async move {
                let revocation = NewRevocation {
                    expires_at: Some(NOW + 60),
                    ..revocation(Level::Token, &format!("{number}-{name}"))
                };
                ledger.write(Write::Revoke(revocation), Lines::new()).await.unwrap();
            }));
        }
    }
    let mut read = 0;
    while read < 2 * EACH {
        for change in store.changes(read, 7).await.unwrap().changes {
            assert_eq!(change.seq, read + 1, "a place that was not there when a later one was");
            read = change.seq;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.changes(read, 1).await.unwrap().changes, []);
}

#[tokio::test]
async fn replicas_tell_each_other_over_postgresql() {
    let database = Database::postgres();
    let ledger = ledger(&database, "a").await;
    let mut changed = Changed::listen(&location(&database)).await.unwrap().unwrap();
    // What changes nothing that is followed is not told.
    ledger.started(task("a", None)).await;
    ledger.done(issue(&["a"])).await;
    ledger.done(complete("a")).await;
    timeout(Duration::from_secs(30), changed.wait()).await.unwrap().unwrap();
    assert!(timeout(Duration::ZERO, changed.wait()).await.is_err(), "once for each batch");
    database
        .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        .await;
    assert!(timeout(Duration::from_secs(30), changed.wait()).await.unwrap().is_err());
    assert!(Changed::listen(&location(&Database::sqlite())).await.unwrap().is_none());
}
