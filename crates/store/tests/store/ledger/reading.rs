//! What was written is found again.

use audit::Lines;
use store::{
    AuditFilter, AuditPlace, Level, NewRevocation, NewTask, RevocationFilter, TaskFilter, TaskState, Write,
};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, complete, event, ledger, lift, revocation, task};
use crate::databases::{open, over_both};

over_both! {
    tasks_are_found,
    revocations_are_found,
    the_audit_log_is_read_by_time_and_by_chain,
}

async fn tasks_are_found(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)] {
        ledger.started(task(id, parent)).await;
    }
    ledger.started(NewTask { client: "other".into(), agent: "x".into(), ..task("e", None) }).await;
    ledger.started(NewTask { expires_at: NOW + 1, ..task("f", None) }).await;
    ledger.done(complete("b")).await;
    let all = TaskFilter { limit: 100, now: NOW + 10, ..TaskFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    let state = |state| TaskFilter { state: Some(state), ..all.clone() };
    for (filter, expected) in [
        (all.clone(), "a b c d e f"),
        (TaskFilter { limit: 2, ..all.clone() }, "a b"),
        (TaskFilter { limit: 2, after: text("b"), ..all.clone() }, "c d"),
        (TaskFilter { client: text("other"), ..all.clone() }, "e"),
        (TaskFilter { agent: text("x"), ..all.clone() }, "e"),
        (TaskFilter { parent: text("b"), ..all.clone() }, "c"),
        (TaskFilter { root: text("a"), ..all.clone() }, "a b c"),
        (TaskFilter { root: text("b"), ..all.clone() }, ""),
        (TaskFilter { root: text("%"), ..all.clone() }, ""),
        (TaskFilter { root: text("a\"]"), ..all.clone() }, ""),
        (state(TaskState::Active), "a d e"),
        (state(TaskState::Completed), "b c"),
        (state(TaskState::Expired), "f"),
        (state(TaskState::Revoked), ""),
        (TaskFilter { root: text("a"), client: text("client"), ..state(TaskState::Active) }, "a"),
    ] {
        let found = store.tasks(&filter).await.unwrap();
        let found: Vec<_> = found.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(found.join(" "), expected, "{filter:?}");
    }
    assert_eq!(store.active_tasks(NOW + 10).await.unwrap(), 3);
    assert_eq!(store.latest_expiry().await.unwrap(), Some(NOW + 600));
}

async fn revocations_are_found(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    for name in ["x", "y"] {
        ledger.revoked(revocation(Level::Agent, name)).await;
    }
    ledger.revoked(NewRevocation { expires_at: Some(NOW + 5), ..revocation(Level::Token, "x") }).await;
    ledger.done(lift(Level::Agent, "y")).await;
    let all = RevocationFilter { limit: 10, now: NOW + 10, ..RevocationFilter::default() };
    for (filter, expected) in [
        (all.clone(), vec![1, 2, 3]),
        (RevocationFilter { limit: 1, after: 1, ..all.clone() }, vec![2]),
        (RevocationFilter { level: Some(Level::Token), ..all.clone() }, vec![3]),
        (RevocationFilter { name: Some("x".into()), ..all.clone() }, vec![1, 3]),
        (RevocationFilter { stands: Some(true), ..all.clone() }, vec![1]),
        (RevocationFilter { stands: Some(false), ..all.clone() }, vec![2, 3]),
    ] {
        let found = store.revocations(&filter).await.unwrap();
        assert_eq!(found.iter().map(|found| found.seq).collect::<Vec<_>>(), expected, "{filter:?}");
        for found in found {
            assert_eq!(found.lifted.as_ref().map(|lifted| lifted.seq), (found.seq == 2).then_some(4));
        }
    }
}

async fn the_audit_log_is_read_by_time_and_by_chain(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    let store = open(&database).await;
    for (ledger, name) in [(&one, "1"), (&other, "2"), (&one, "3"), (&other, "4")] {
        ledger.write(Write::Note, event(name)).await.unwrap();
    }
    one.write(Write::Note, Lines::new()).await.unwrap();
    let mut places = Vec::new();
    let mut filter = AuditFilter { limit: 3, ..AuditFilter::default() };
    loop {
        let page = store.audit_batches(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        let place = AuditPlace { sealed_at: last.sealed_at, writer: last.writer.clone(), seq: last.seq };
        places.extend(page.iter().map(|batch| (batch.sealed_at, batch.writer.clone(), batch.seq)));
        filter.after = Some(place);
    }
    assert_eq!(places.len(), 4);
    assert!(places.is_sorted(), "{places:?}");
    let (first, last) = (places[0].0, places[3].0);
    let count = async |from, until| {
        let filter = AuditFilter { from, until, limit: 10, ..AuditFilter::default() };
        store.audit_batches(&filter).await.unwrap().len()
    };
    assert_eq!(count(Some(first), Some(last + 1)).await, 4);
    assert_eq!((count(Some(last + 1), None).await, count(None, Some(first)).await), (0, 0));
    let chain = store.audit_chain("b", 1, 10).await.unwrap();
    assert_eq!(chain.len(), 1);
    assert!(chain[0].body.contains(r#""name":"4""#), "{chain:?}");
    let writers = store.audit_writers().await.unwrap();
    let heads: Vec<_> = writers.iter().map(|known| (known.head.writer.as_str(), known.head.seq)).collect();
    assert_eq!((heads, writers[1].mac), (vec![("a", 2), ("b", 2)], chain[0].mac));
}
