//! Revocations: made once, extended, lifted, and told in their order.

use store::{Ended, Level, NewRevocation, TaskState, Write, WriteError, Written};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, complete, issue, ledger, lift, names, revocation, task};
use crate::databases::{open, over_both};

over_both! {
    a_revocation_that_stands_is_not_repeated,
    what_lives_longer_is_revoked_for_longer,
    what_seems_over_is_revoked_once,
    a_revoked_task_ends_with_all_under_it,
    only_some_levels_are_lifted,
    an_end_after_a_revocation_has_a_place_of_its_own,
    changes_are_read_in_their_order,
}

async fn a_revocation_that_stands_is_not_repeated(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let (first, is_new) = ledger.revoked(revocation(Level::Agent, "x")).await;
    assert!(is_new && first.seq == 1 && first.reason.as_deref() == Some("a test"), "{first:?}");
    let other = NewRevocation { by: "another".into(), reason: None, ..revocation(Level::Agent, "x") };
    assert_eq!(ledger.revoked(other.clone()).await, (first, false));
    assert_eq!(store.head().await.unwrap().revocation, 1);
    assert_eq!(ledger.done(lift(Level::Agent, "x")).await, Written::Lifted(true));
    let (again, is_new) = ledger.revoked(other).await;
    assert!(is_new && again.seq == 3 && again.by == "another", "{again:?}");
    assert_eq!(names(&store, "a").await.len(), 3, "what changed nothing is not told");
}

/// The clock that says that it is over may be ahead of those that still take the token.
async fn what_seems_over_is_revoked_once(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let over = NewRevocation { expires_at: Some(NOW - 5), ..revocation(Level::Token, "jti") };
    let (first, is_new) = ledger.revoked(over.clone()).await;
    assert!(is_new && first.seq == 1, "{first:?}");
    assert_eq!(ledger.revoked(over.clone()).await, (first, false));
    assert_eq!(store.changes(0, 10).await.unwrap().changes.len(), 1);
    let longer = NewRevocation { expires_at: Some(NOW + 5), ..over };
    let (longer, is_new) = ledger.revoked(longer).await;
    assert!(is_new && longer.expires_at == Some(NOW + 5), "{longer:?}");
}

async fn what_lives_longer_is_revoked_for_longer(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let until = |expires_at, audience: Option<&str>| NewRevocation {
        expires_at,
        audience: audience.map(Into::into),
        ..revocation(Level::Token, "jti")
    };
    let steps = [
        (Some(NOW + 10), Some("mesh"), 1, Some(NOW + 10), Some("mesh")),
        (Some(NOW + 5), Some("mesh"), 1, Some(NOW + 10), Some("mesh")),
        (Some(NOW + 20), Some("mesh"), 2, Some(NOW + 20), Some("mesh")),
        (Some(NOW + 1), Some("other"), 3, Some(NOW + 20), None),
        (None, Some("mesh"), 4, None, None),
        (Some(NOW + 99), None, 4, None, None),
    ];
    for (step, (expires_at, audience, seq, expected, known)) in steps.into_iter().enumerate() {
        let (revocation, is_new) = ledger.revoked(until(expires_at, audience)).await;
        assert_eq!((revocation.seq, is_new), (seq, step == 0), "{revocation:?}");
        assert_eq!((revocation.expires_at, revocation.audience.as_deref()), (expected, known));
        let changes = store.changes(0, 10).await.unwrap();
        assert_eq!((changes.head.revocation, changes.changes.len()), (seq, 1), "one row, at its new place");
        assert_eq!((changes.changes[0].seq, changes.changes[0].expires_at), (seq, expected));
    }
    // One that has expired is made anew.
    ledger.revoked(NewRevocation { expires_at: Some(NOW + 10), ..revocation(Level::Token, "old") }).await;
    let late = NewRevocation { now: NOW + 10, expires_at: Some(NOW + 30), ..revocation(Level::Token, "old") };
    let (revocation, is_new) = ledger.revoked(late).await;
    assert!(is_new && revocation.seq == 6, "{revocation:?}");
}

async fn a_revoked_task_ends_with_all_under_it(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
        ledger.started(task(id, parent)).await;
    }
    assert_eq!(ledger.done(issue(&["a", "b", "c"])).await, Written::Done);
    let (revoked, is_new) = ledger.revoked(revocation(Level::Task, "b")).await;
    // Callers need not know what lives under a task, nor for how long.
    assert_eq!(
        (is_new, revoked.expires_at, revoked.audience.as_deref()),
        (true, Some(NOW + 665), Some("mesh"))
    );
    for (id, state) in [("a", TaskState::Active), ("b", TaskState::Revoked), ("c", TaskState::Revoked)] {
        assert_eq!(store.task(id).await.unwrap().unwrap().state, state, "{id}");
    }
    let refused = ledger.refused(issue(&["a", "b", "c"])).await;
    assert!(matches!(refused, WriteError::TaskEnded(TaskState::Revoked)), "{refused:?}");
    // Not even a caller who names less than the path.
    let refused = ledger.refused(issue(&["c"])).await;
    assert!(matches!(refused, WriteError::TaskEnded(TaskState::Revoked)), "{refused:?}");
    assert_eq!(names(&store, "a").await, ["done", "done", "done", "done", "done", "c"]);
    // What nobody knows is recorded, and harmless.
    let (unknown, is_new) =
        ledger.revoked(NewRevocation { expires_at: Some(NOW + 9), ..revocation(Level::Task, "x") }).await;
    assert_eq!((is_new, unknown.expires_at), (true, Some(NOW + 9)));
}

async fn only_some_levels_are_lifted(database: Database) {
    let ledger = ledger(&database, "a").await;
    for level in Level::ALL {
        ledger.revoked(NewRevocation { expires_at: Some(NOW + 9), ..revocation(level, "x") }).await;
        if [Level::Agent, Level::Subject, Level::Client].contains(&level) {
            assert_eq!(ledger.done(lift(level, "x")).await, Written::Lifted(true));
        } else {
            let refused = ledger.refused(lift(level, "x")).await;
            assert!(matches!(refused, WriteError::NotLiftable(found) if found == level), "{refused:?}");
        }
    }
}

async fn an_end_after_a_revocation_has_a_place_of_its_own(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.revoked(NewRevocation { expires_at: Some(NOW + 9999), ..revocation(Level::Task, "a") }).await;
    ledger.started(task("a", None)).await;
    let end = Write::End {
        task: "a".into(),
        client: None,
        state: Ended::Completed,
        by: "x".into(),
        reason: None,
        now: NOW,
    };
    ledger.done(end).await;
    let changes = store.changes(0, 10).await.unwrap();
    assert_eq!((changes.head.revocation, changes.changes[0].seq), (2, 2));
    assert_eq!(changes.changes[0].expires_at, Some(NOW + 9999));
}

async fn changes_are_read_in_their_order(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("t", None)).await;
    for name in ["x", "y"] {
        ledger.revoked(revocation(Level::Client, name)).await;
    }
    ledger.done(complete("t")).await;
    ledger.done(lift(Level::Client, "x")).await;
    let read = async |after, limit| {
        let changes = store.changes(after, limit).await.unwrap();
        assert_eq!(changes.head.revocation, 4);
        let read = changes.changes.into_iter().map(|change| (change.seq, change.name, change.is_lifted));
        read.collect::<Vec<_>>()
    };
    let all = [(1, "x", false), (2, "y", false), (3, "t", false), (4, "x", true)];
    let all = all.map(|(seq, name, is_lifted)| (seq, name.to_owned(), is_lifted));
    assert_eq!(read(0, 10).await, all);
    assert_eq!(read(0, 2).await, all[..2]);
    assert_eq!(read(2, 1).await, all[2..3]);
    assert_eq!(read(3, 9).await, all[3..]);
    assert_eq!(read(4, 9).await, []);
    let live = async |now| {
        let live = store.live_revocations(now).await.unwrap();
        assert_eq!(store.count_live_revocations(now).await.unwrap(), live.changes.len() as u64);
        live.changes.into_iter().map(|change| change.name).collect::<Vec<_>>()
    };
    assert_eq!(live(NOW).await, ["y", "t"]);
    assert_eq!(live(NOW + 665).await, ["y"]);
    assert_eq!(ledger.committed().borrow().revocation, 4);
}
