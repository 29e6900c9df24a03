//! What a token rests on must hold at the commit.

use audit::Lines;
use store::{Conditions, KeyChange, Level, TaskState, Write, WriteError, Written};
use test_databases::Database;

use super::support::{
    Ledgers as _, NOW, complete, conditions, issue, ledger, lift, names, revocation, start, task,
};
use crate::databases::{open, over_both};

over_both! {
    a_token_needs_its_tasks,
    a_token_needs_names_that_are_not_revoked,
    a_token_needs_the_keys_and_the_epoch_that_it_was_signed_under,
    what_is_refused_is_not_told,
    what_cannot_be_stored_is_refused_alone,
}

async fn a_token_needs_its_tasks(database: Database) {
    let ledger = ledger(&database, "a").await;
    for (id, parent) in [("a", None), ("b", Some("a"))] {
        ledger.started(task(id, parent)).await;
    }
    assert_eq!(ledger.done(issue(&["a", "b"])).await, Written::Done);
    for tasks in [&["a", "c"][..], &["c", "a"], &["A"], &[""]] {
        assert!(matches!(ledger.refused(issue(tasks)).await, WriteError::UnknownTask), "{tasks:?}");
    }
    let others = Conditions { client: Some("other".into()), ..conditions(&["a", "b"]) };
    assert!(matches!(ledger.refused(Write::Issue(others)).await, WriteError::UnknownTask));
    let late = Conditions { now: NOW + 600, ..conditions(&["a", "b"]) };
    let expired = ledger.refused(Write::Issue(late)).await;
    assert!(matches!(expired, WriteError::TaskEnded(TaskState::Expired)), "{expired:?}");
    ledger.done(complete("b")).await;
    let ended = ledger.refused(issue(&["a", "b"])).await;
    assert!(matches!(ended, WriteError::TaskEnded(TaskState::Completed)), "{ended:?}");
    assert_eq!(ledger.done(issue(&["a"])).await, Written::Done);
}

async fn a_token_needs_names_that_are_not_revoked(database: Database) {
    let ledger = ledger(&database, "a").await;
    ledger.started(task("a", None)).await;
    for (level, name) in [(Level::Agent, "agent"), (Level::Subject, "subject"), (Level::Client, "client")] {
        // Names of one kind are not names of another.
        for other in Level::ALL.into_iter().filter(|other| *other != level && other.is_liftable()) {
            ledger.revoked(revocation(other, &format!("{name}-else"))).await;
        }
        ledger.revoked(revocation(level, name)).await;
        for write in [issue(&["a"]), start(task("b", Some("a"))), start(task("b", None))] {
            let refused = ledger.refused(write).await;
            assert!(matches!(refused, WriteError::Revoked(found) if found == level), "{refused:?}");
        }
        assert_eq!(ledger.done(lift(level, name)).await, Written::Lifted(true));
        assert_eq!(ledger.done(issue(&["a"])).await, Written::Done);
    }
    let delegated = |lineage: &str| {
        let names = vec![(Level::Token, lineage.to_owned())];
        Write::Issue(Conditions { names, ..conditions(&["a"]) })
    };
    ledger
        .revoked(store::NewRevocation { expires_at: Some(NOW + 10), ..revocation(Level::Token, "jti") })
        .await;
    assert!(matches!(ledger.refused(delegated("jti")).await, WriteError::Revoked(Level::Token)));
    assert_eq!(ledger.done(delegated("jt")).await, Written::Done);
}

async fn a_token_needs_the_keys_and_the_epoch_that_it_was_signed_under(database: Database) {
    let ledger = ledger(&database, "a").await;
    assert_eq!(ledger.done(issue(&[])).await, Written::Done);
    let changed = Written::Keys { sequence: 1, revoked: Vec::new() };
    assert_eq!(ledger.done(Write::Keys(KeyChange::default())).await, changed);
    assert!(matches!(ledger.refused(issue(&[])).await, WriteError::KeysChanged));
    let signed = |keys, epoch| Write::Issue(Conditions { keys, epoch, ..conditions(&[]) });
    assert_eq!(ledger.done(signed(1, 1)).await, Written::Done);
    database.execute("UPDATE store SET epoch = 5").await;
    assert!(matches!(ledger.refused(signed(1, 1)).await, WriteError::EpochChanged));
    assert_eq!(ledger.done(signed(1, 5)).await, Written::Done);
    // The chain of an epoch is not gone on with in another, which may have lost its end.
    let store = open(&database).await;
    assert_eq!(names(&store, "a").await.len(), 3);
    assert_eq!(names(&store, "a.5").await, ["done"]);
}

async fn what_is_refused_is_not_told(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.refused(issue(&["a"])).await;
    ledger.refused(complete("a")).await;
    assert_eq!(ledger.done(lift(Level::Agent, "agent")).await, Written::Lifted(false));
    assert_eq!(ledger.write(Write::Note, Lines::new()).await.unwrap(), Written::Done);
    assert_eq!(names(&store, "a").await, [""; 0]);
    assert_eq!(ledger.done(Write::Note).await, Written::Done);
    assert_eq!(names(&store, "a").await, ["done"]);
}

async fn what_cannot_be_stored_is_refused_alone(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let (bad, long, good) = tokio::join!(
        ledger.write(complete("a\0"), Lines::new()),
        ledger.write(start(store::NewTask { expires_at: u64::MAX, ..task("b", None) }), Lines::new()),
        ledger.write(start(task("c", None)), Lines::new()),
    );
    for refused in [bad, long] {
        assert!(matches!(refused, Err(WriteError::Unstorable(_))), "{refused:?}");
    }
    assert!(matches!(good, Ok(Written::Task(_))), "{good:?}");
    assert!(store.task("c").await.unwrap().is_some());
}
