//! Operations of a moment are one transaction, and see each other.

use audit::Lines;
use store::{Level, NewRevocation, TaskState, Write, WriteError, Written};
use test_databases::Database;

use super::support::{
    Ledgers as _, NOW, chain, complete, event, issue, ledger, lift, names, revocation, start, task,
};
use crate::databases::{open, over_both};

over_both! {
    operations_of_a_moment_are_one_batch,
    operations_of_a_batch_see_each_other,
    a_batch_that_fails_leaves_nothing,
    many_callers_are_served_in_few_batches,
}

async fn operations_of_a_moment_are_one_batch(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let (one, refused, other, noted) = tokio::join!(
        ledger.write(start(task("a", None)), event("1")),
        ledger.write(complete("x"), event("2")),
        ledger.write(start(task("b", None)), event("3")),
        ledger.write(Write::Note, event("4")),
    );
    assert!(one.is_ok() && other.is_ok() && noted.is_ok());
    assert!(matches!(refused, Err(WriteError::UnknownTask)), "{refused:?}");
    assert_eq!(chain(&store, "a").await.len(), 1);
    assert_eq!(names(&store, "a").await, ["1", "3", "4"]);
    assert!(store.task("a").await.unwrap().is_some() && store.task("b").await.unwrap().is_some());
    let figures = ledger.figures();
    assert_eq!((figures.batches, figures.operations, figures.waiting, figures.waiting_bytes), (1, 4, 0, 0));
}

async fn operations_of_a_batch_see_each_other(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("old", None)).await;
    let write = |write| ledger.write(write, Lines::new());
    let (a, b, issued, ended, late, last) = tokio::join!(
        write(start(task("a", Some("old")))),
        write(start(task("b", Some("a")))),
        write(issue(&["old", "a", "b"])),
        write(complete("old")),
        write(start(task("c", Some("a")))),
        write(issue(&["old", "a", "b"])),
    );
    assert!(a.is_ok() && b.is_ok() && issued.is_ok());
    let Ok(Written::Ended { cascaded, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(cascaded, ["a", "b"]);
    for refused in [late, last] {
        let ended = matches!(refused, Err(WriteError::TaskEnded(TaskState::Completed)));
        assert!(ended, "{refused:?}");
    }
    for id in ["old", "a", "b"] {
        assert_eq!(store.task(id).await.unwrap().unwrap().state, TaskState::Completed, "{id}");
    }
    let revoke = |name| Write::Revoke(revocation(Level::Agent, name));
    let longer = NewRevocation { expires_at: Some(NOW + 9), ..revocation(Level::Agent, "agent") };
    let (first, again, refused, lifted, issued, anew) = tokio::join!(
        write(Write::Revoke(longer)),
        write(revoke("agent")),
        write(issue(&[])),
        write(lift(Level::Agent, "agent")),
        write(issue(&[])),
        write(revoke("agent")),
    );
    assert!(matches!(first, Ok(Written::Revoked { is_new: true, .. })), "{first:?}");
    assert!(matches!(again, Ok(Written::Revoked { is_new: false, .. })), "{again:?}");
    assert!(matches!(refused, Err(WriteError::Revoked(Level::Agent))), "{refused:?}");
    assert!(matches!((lifted, issued), (Ok(Written::Lifted(true)), Ok(Written::Done))));
    assert!(matches!(anew, Ok(Written::Revoked { is_new: true, .. })), "{anew:?}");
    let changes = store.changes(1, 10).await.unwrap().changes;
    let places: Vec<_> = changes.iter().map(|change| (change.seq, change.is_lifted)).collect();
    assert_eq!(places, [(3, false), (4, true), (5, false)]);
    assert_eq!(chain(&store, "a").await.len(), 3);
}

async fn a_batch_that_fails_leaves_nothing(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("before", None)).await;
    database.execute("ALTER TABLE audit_batches RENAME TO elsewhere").await;
    let (one, other) = tokio::join!(
        ledger.write(start(task("a", None)), Lines::new()),
        ledger.write(complete("before"), Lines::new()),
    );
    for failed in [one, other] {
        assert!(matches!(failed, Err(WriteError::Store(_))), "{failed:?}");
    }
    let issued = ledger.refused(issue(&["before"])).await;
    assert!(matches!(issued, WriteError::Store(_)), "nothing is issued that cannot be told: {issued:?}");
    assert_eq!(store.task("a").await.unwrap(), None);
    assert_eq!(store.task("before").await.unwrap().unwrap().state, TaskState::Active);
    assert_eq!(store.head().await.unwrap().revocation, 0);
    assert_eq!(ledger.figures().failed, 2);
    database.execute("ALTER TABLE elsewhere RENAME TO audit_batches").await;
    ledger.done(complete("before")).await;
    assert_eq!(names(&store, "a").await, ["done", "done"]);
}

async fn many_callers_are_served_in_few_batches(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    let callers: Vec<_> = (0..2000)
        .map(|number| {
            let ledger = ledger.clone();
            let write =
                if number % 2 == 0 { issue(&["a"]) } else { start(task(&format!("t-{number}"), Some("a"))) };
            tokio::spawn(async move { ledger.write(write, event(&number.to_string())).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let figures = ledger.figures();
    assert!(figures.batches <= 20 && figures.operations == 2001, "{figures:?}");
    let mut told = names(&store, "a").await;
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 2001);
    assert_eq!(store.active_tasks(NOW).await.unwrap(), 1001);
}
