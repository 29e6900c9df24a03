//! Tasks: how they begin, and how they end with what is under them.

use audit::Lines;
use store::{Ended, Level, MAX_TASK_DEPTH, NewTask, TaskState, Write, WriteError, Written};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, complete, conditions, ledger, names, start, task};
use crate::databases::{open, over_both};

over_both! {
    a_task_is_kept_as_it_was_started,
    a_task_ends_with_all_under_it_by_one_revocation,
    an_end_is_told_once,
    a_client_ends_its_own_tasks_only,
    a_parent_must_be_there_and_live_on,
    an_expired_task_can_be_completed,
}

async fn a_task_is_kept_as_it_was_started(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    let new = NewTask { cnf: Some(r#"{"jkt":"x"}"#.into()), ..task("a", None) };
    let started = ledger.started(new.clone()).await;
    assert_eq!((started.path.clone(), started.state), (vec!["a".to_owned()], TaskState::Active));
    assert_eq!((&started.grants, &started.cnf, &started.note), (&new.grants, &new.cnf, &new.note));
    assert_eq!(store.task("a").await.unwrap(), Some(started));
    let plain = ledger.started(NewTask { note: None, ..task("b", Some("a")) }).await;
    assert_eq!(plain.path, ["a", "b"]);
    assert_eq!(store.task("b").await.unwrap(), Some(plain));
    assert_eq!(store.task("c").await.unwrap(), None);
    assert!(matches!(ledger.refused(start(task("a", None))).await, WriteError::TaskExists));
    assert_eq!(names(&store, "a").await, ["done", "done"]);
}

async fn a_task_ends_with_all_under_it_by_one_revocation(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("b")), ("e", Some("a"))]
    {
        ledger.started(task(id, parent)).await;
    }
    ledger.done(complete("d")).await;
    let Written::Ended { task, changed: true, cascaded } = ledger.done(complete("b")).await else { panic!() };
    assert_eq!((task.id.as_str(), task.state, task.ended_at), ("b", TaskState::Completed, Some(NOW + 1)));
    assert_eq!((task.grants.is_empty(), cascaded), (false, vec!["c".to_owned()]));
    assert_eq!(store.task("b").await.unwrap(), Some(task));
    for (id, state) in [("a", TaskState::Active), ("c", TaskState::Completed), ("e", TaskState::Active)] {
        assert_eq!(store.task(id).await.unwrap().unwrap().state, state, "{id}");
    }
    let changes = store.changes(0, 10).await.unwrap();
    let revoked: Vec<_> = changes.changes.iter().map(|change| (change.seq, change.name.as_str())).collect();
    assert_eq!((changes.head.revocation, revoked), (2, vec![(1, "d"), (2, "b")]));
    let change = &changes.changes[1];
    assert_eq!((change.level, change.expires_at), (Level::Task, Some(NOW + 600 + 65)));
    assert_eq!(change.audience.as_deref(), Some("mesh"));
    let told = names(&store, "a").await;
    assert_eq!(told[told.len() - 2..], ["done", "c"], "the task's own event, and one for what ended with it");
}

async fn an_end_is_told_once(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    let first = ledger.done(complete("a")).await;
    let Written::Ended { task: ended, changed: true, .. } = first else { panic!("{first:?}") };
    for state in [Ended::Completed, Ended::Revoked] {
        let (by, reason) = ("operator".to_owned(), None);
        let end = Write::End { task: "a".into(), client: None, state, by, reason, now: NOW + 9 };
        let again = ledger.done(end).await;
        let same = Written::Ended { task: ended.clone(), changed: false, cascaded: Vec::new() };
        assert_eq!(again, same);
    }
    assert_eq!(store.head().await.unwrap().revocation, 1);
    assert_eq!(names(&store, "a").await, ["done", "done"]);
}

async fn a_client_ends_its_own_tasks_only(database: Database) {
    let ledger = ledger(&database, "a").await;
    ledger.started(task("a", None)).await;
    let end = |task: &str, client: Option<&str>| Write::End {
        task: task.into(),
        client: client.map(Into::into),
        state: Ended::Revoked,
        by: "someone".into(),
        reason: Some("because".into()),
        now: NOW,
    };
    for (task, client) in [("a", Some("other")), ("b", Some("client")), ("b", None)] {
        assert!(
            matches!(ledger.refused(end(task, client)).await, WriteError::UnknownTask),
            "{task} {client:?}"
        );
    }
    let written = ledger.done(end("a", None)).await;
    let Written::Ended { task, changed: true, .. } = written else { panic!("{written:?}") };
    assert_eq!(task.state, TaskState::Revoked);
}

async fn a_parent_must_be_there_and_live_on(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    ledger.started(NewTask { client: "other".into(), ..task("other", None) }).await;
    let refused = async |task| ledger.refused(start(task)).await;
    for parent in ["b", "x", "other"] {
        assert!(matches!(refused(task("b", Some(parent))).await, WriteError::UnknownParent), "{parent}");
    }
    let longer = NewTask { expires_at: NOW + 601, ..task("b", Some("a")) };
    assert!(matches!(refused(longer).await, WriteError::OutlivesParent));
    let late = |now| {
        let task = NewTask { expires_at: NOW + 600, ..task("b", Some("a")) };
        Write::Start { task, conditions: store::Conditions { now, ..conditions(&[]) } }
    };
    let expired = ledger.refused(late(NOW + 600)).await;
    assert!(matches!(expired, WriteError::TaskEnded(TaskState::Expired)), "{expired:?}");
    ledger.done(late(NOW + 599)).await;
    let mut above = "b".to_owned();
    for depth in 3..=MAX_TASK_DEPTH {
        let id = format!("depth-{depth}");
        ledger.started(task(&id, Some(&above))).await;
        above = id;
    }
    assert!(matches!(refused(task("deepest", Some(&above))).await, WriteError::TooDeep));
    ledger.done(complete("a")).await;
    for parent in ["a", "b", &above] {
        let refused = refused(task("z", Some(parent))).await;
        assert!(matches!(refused, WriteError::TaskEnded(TaskState::Completed)), "{parent}: {refused:?}");
    }
    // Rows that somebody changed: a task that claims to live under one that has ended.
    database.execute("UPDATE tasks SET state = 'active' WHERE id = 'b'").await;
    let refused = refused(task("z", Some("b"))).await;
    assert!(matches!(refused, WriteError::TaskEnded(TaskState::Completed)), "{refused:?}");
    assert_eq!(store.task("z").await.unwrap(), None);
}

async fn an_expired_task_can_be_completed(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.started(task("a", None)).await;
    let (client, by) = (None, "client".to_owned());
    let end =
        Write::End { task: "a".into(), client, state: Ended::Completed, by, reason: None, now: NOW + 700 };
    let written = ledger.write(end, Lines::new()).await.unwrap();
    assert!(matches!(written, Written::Ended { changed: true, .. }), "{written:?}");
    // The clock that says so may be ahead of those that still take its tokens.
    let changes = store.changes(0, 10).await.unwrap().changes;
    assert_eq!((changes.len(), changes[0].expires_at), (1, Some(NOW + 665)), "{changes:?}");
}
