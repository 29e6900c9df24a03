//! Uses of limited grants: as many as were granted, whoever counts them.

use audit::Lines;
use store::{Conditions, Level, NewLimit, NewUse, TaskState, Used, Write, WriteError, Written};
use test_databases::Database;

use super::support::{Ledgers as _, NOW, complete, conditions, ledger, names, revocation, task};
use crate::databases::{open, over_both};

over_both! {
    a_grant_is_used_as_often_as_it_says,
    a_use_counts_against_the_whole_chain,
    a_decision_is_counted_once,
    nothing_is_used_of_what_has_ended,
    ids_are_unique_under_their_root,
    replicas_count_together,
}

pub(crate) fn limit(root: &str, id: &str, uses: u32) -> NewLimit {
    NewLimit { root: root.into(), id: id.into(), uses, expires_at: NOW + 600 }
}

/// A task with these limits.
pub(crate) fn limited(id: &str, parent: Option<&str>, limits: Vec<NewLimit>) -> Write {
    Write::Start { task: task(id, parent), conditions: Conditions { limits, ..conditions(&[]) } }
}

fn delegated(tasks: &[&str], limits: Vec<NewLimit>) -> Write {
    Write::Issue(Conditions { limits, ..conditions(tasks) })
}

pub(crate) fn used(tasks: &[&str], id: &str, decision: &str) -> Write {
    let names = vec![(Level::Agent, "agent".to_owned()), (Level::Token, format!("token of {id}"))];
    Write::Use(NewUse {
        decision: decision.into(),
        root: tasks[0].into(),
        id: id.into(),
        now: NOW,
        tasks: tasks.iter().map(|id| (*id).to_owned()).collect(),
        names,
    })
}

pub(crate) fn counted(left: u32) -> Written {
    Written::Used(Used::Counted { left, is_new: true })
}

const EXHAUSTED: Written = Written::Used(Used::Exhausted);

async fn a_grant_is_used_as_often_as_it_says(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    ledger.done(limited("root", None, vec![limit("root", "g1", 2), limit("root", "g2", 1)])).await;
    for (id, decision, expected) in [
        ("g1", "1", counted(1)),
        ("g2", "2", counted(0)),
        ("g1", "3", counted(0)),
        ("g1", "4", EXHAUSTED),
        ("g2", "5", EXHAUSTED),
    ] {
        let write = used(&["root"], id, decision);
        assert_eq!(
            ledger.write(write, super::support::event(decision)).await.unwrap(),
            expected,
            "{decision}"
        );
    }
    // Each that was counted is recorded, and none that was not.
    assert_eq!(names(&store, "a").await, ["done", "1", "2", "3"]);
}

async fn a_use_counts_against_the_whole_chain(database: Database) {
    let ledger = ledger(&database, "a").await;
    ledger.done(limited("root", None, vec![limit("root", "g1", 3)])).await;
    ledger.done(limited("leaf", Some("root"), vec![limit("root", "g1.7", 2)])).await;
    let path = ["root", "leaf"];
    ledger.done(delegated(&path, vec![limit("root", "g1.7.1", 2), limit("root", "g1.7.2", 2)])).await;
    assert_eq!(ledger.done(used(&path, "g1.7.1", "1")).await, counted(1));
    assert_eq!(ledger.done(used(&["root"], "g1", "2")).await, counted(1));
    assert_eq!(ledger.done(used(&path, "g1.7.2", "3")).await, counted(0));
    // Of their own they have one left each.
    for id in ["g1.7.1", "g1.7.2", "g1.7", "g1"] {
        assert_eq!(ledger.done(used(&path, id, &format!("{id} 4"))).await, EXHAUSTED, "{id}");
    }
}

async fn a_decision_is_counted_once(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    one.done(limited("root", None, vec![limit("root", "g1", 2)])).await;
    let again = Written::Used(Used::Counted { left: 1, is_new: false });
    assert_eq!(one.done(used(&["root"], "g1", "1")).await, counted(1));
    for ledger in [&one, &other] {
        assert_eq!(ledger.done(used(&["root"], "g1", "1")).await, again);
    }
    // In one transaction, too.
    let twice = tokio::join!(one.done(used(&["root"], "g1", "2")), one.done(used(&["root"], "g1", "2")));
    assert_eq!(twice, (counted(0), Written::Used(Used::Counted { left: 0, is_new: false })));
    assert_eq!(other.done(used(&["root"], "g1", "3")).await, EXHAUSTED);
    // It was done, whatever has ended since.
    one.done(complete("root")).await;
    assert_eq!(other.done(used(&["root"], "g1", "1")).await, again);
}

async fn nothing_is_used_of_what_has_ended(database: Database) {
    let (one, other) = (ledger(&database, "a").await, ledger(&database, "b").await);
    one.done(limited("root", None, vec![limit("root", "g1", 9)])).await;
    one.done(limited("leaf", Some("root"), vec![limit("root", "g1.1", 9)])).await;
    let path = ["root", "leaf"];
    assert_eq!(other.done(used(&path, "g1.1", "1")).await, counted(8));
    one.revoked(revocation(Level::Token, "token of g1.1")).await;
    let refused = other.refused(used(&path, "g1.1", "2")).await;
    assert!(matches!(refused, WriteError::Revoked(Level::Token)), "{refused:?}");
    assert_eq!(other.done(used(&path, "g1", "3")).await, counted(7));
    one.done(complete("root")).await;
    let refused = other.refused(used(&path, "g1", "4")).await;
    assert!(matches!(refused, WriteError::TaskEnded(TaskState::Completed)), "{refused:?}");
    let refused = other.refused(used(&["nobody's"], "g1", "5")).await;
    assert!(matches!(refused, WriteError::UnknownTask), "{refused:?}");
}

async fn ids_are_unique_under_their_root(database: Database) {
    let ledger = ledger(&database, "a").await;
    ledger.done(limited("root", None, vec![limit("root", "g1", 1)])).await;
    ledger.done(limited("other", None, vec![limit("other", "g1", 1)])).await;
    let refused = ledger.refused(delegated(&["root"], vec![limit("root", "g1", 1)])).await;
    assert!(matches!(refused, WriteError::LimitExists), "{refused:?}");
    let twice = vec![limit("root", "g1.1", 1), limit("root", "g1.1", 1)];
    assert!(matches!(ledger.refused(delegated(&["root"], twice)).await, WriteError::LimitExists));
    for id in ["g2.1", "g1.1.1"] {
        let refused = ledger.refused(delegated(&["root"], vec![limit("root", id, 1)])).await;
        assert!(matches!(refused, WriteError::UnknownLimit), "{id}: {refused:?}");
    }
    let refused = ledger.refused(used(&["root"], "g2", "1")).await;
    assert!(matches!(refused, WriteError::UnknownLimit), "{refused:?}");
    // What was refused began nothing.
    ledger.done(delegated(&["root"], vec![limit("root", "g1.1", 1)])).await;
    // One root's uses are none of another's.
    assert_eq!(ledger.done(used(&["root"], "g1.1", "2")).await, counted(0));
    assert_eq!(ledger.done(used(&["other"], "g1", "3")).await, counted(0));
}

async fn replicas_count_together(database: Database) {
    const USES: u32 = 5;
    let ledgers = [ledger(&database, "a").await, ledger(&database, "b").await];
    let chains = ["g1", "g1.1", "g1.2"];
    let limits = chains.map(|id| limit("root", id, USES)).to_vec();
    let [root, children @ ..] = &*limits else { panic!("no root") };
    ledgers[0].done(limited("root", None, vec![root.clone()])).await;
    ledgers[0].done(delegated(&["root"], children.to_vec())).await;
    let tries = (0..48).map(|number| {
        let ledger = ledgers[number % 2].clone();
        let write = used(&["root"], chains[number % 3], &number.to_string());
        tokio::spawn(async move { ledger.write(write, Lines::new()).await.unwrap() })
    });
    let mut left = Vec::new();
    for tried in tries.collect::<Vec<_>>() {
        match tried.await.unwrap() {
            Written::Used(Used::Counted { left: after, is_new: true }) => left.push(after),
            outcome => assert_eq!(outcome, EXHAUSTED),
        }
    }
    left.sort_unstable();
    assert_eq!(left, (0..USES).collect::<Vec<_>>());
}
