//! What the ledger does and refuses.

use audit::{Chain, ChainKey, Event, EventKind, Lines};
use store::{
    Conditions, Ended, Ledger, Level, NewRevocation, NewTask, TaskState, Write, WriteError, Written,
};
use test_databases::Database;

use crate::databases::{location, open};

macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(test_databases::Database::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(test_databases::Database::postgres()).await;
                }
            )*
        }
    };
}

over_both! {
    a_task_lives_and_ends_with_what_is_under_it,
}

pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) async fn ledger(database: &Database, writer: &str) -> Ledger {
    let chain = Chain::begin(writer.to_owned(), ChainKey::from_bytes([7; 32]));
    let (ledger, work) = Ledger::open(location(database), chain).await.unwrap();
    tokio::spawn(work);
    ledger
}

pub(crate) fn event(kind: EventKind, task: &str) -> Lines {
    Lines::of(&Event { at: NOW * 1000, event: kind, task: Some(task.into()), ..Event::default() })
}

pub(crate) fn task(id: &str, parent: Option<&str>) -> NewTask {
    NewTask {
        id: id.into(),
        parent: parent.map(Into::into),
        client: "client".into(),
        subject: "subject".into(),
        agent: "agent".into(),
        audience: "mesh".into(),
        grants: "[]".into(),
        cnf: None,
        max_depth: 2,
        note: None,
        created_at: NOW,
        expires_at: NOW + 600,
    }
}

pub(crate) fn conditions(tasks: &[&str]) -> Conditions {
    Conditions {
        now: NOW,
        tasks: tasks.iter().map(|id| (*id).to_owned()).collect(),
        client: Some("client".into()),
        names: vec![
            (Level::Agent, "agent".into()),
            (Level::Subject, "subject".into()),
            (Level::Client, "client".into()),
        ],
        keys: 0,
        epoch: 1,
    }
}

pub(crate) fn start(task: NewTask) -> Write {
    Write::Start { task, conditions: Conditions { tasks: Vec::new(), ..conditions(&[]) } }
}

pub(crate) fn end(task: &str) -> Write {
    Write::End {
        task: task.into(),
        client: Some("client".into()),
        state: Ended::Completed,
        by: "client".into(),
        reason: None,
        now: NOW + 1,
    }
}

async fn a_task_lives_and_ends_with_what_is_under_it(database: Database) {
    let (ledger, store) = (ledger(&database, "a").await, open(&database).await);
    for (id, parent) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
        let written = ledger.write(start(task(id, parent)), event(EventKind::TaskStarted, id)).await.unwrap();
        let Written::Task(started) = written else { panic!("{written:?}") };
        assert_eq!(store.task(id).await.unwrap(), Some(started));
    }
    let path = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(store.task("c").await.unwrap().unwrap().path, path);
    let issue = Write::Issue(conditions(&["a", "b", "c"]));
    assert_eq!(ledger.write(issue.clone(), Lines::new()).await.unwrap(), Written::Done);
    let written = ledger.write(end("b"), event(EventKind::TaskCompleted, "b")).await.unwrap();
    let Written::Ended { task: ended, changed: true, cascaded } = written else { panic!("{written:?}") };
    assert_eq!((ended.state, ended.ended_at), (TaskState::Completed, Some(NOW + 1)));
    assert_eq!((cascaded, store.task("b").await.unwrap()), (vec!["c".to_owned()], Some(ended)));
    let refused = ledger.write(issue, Lines::new()).await.unwrap_err();
    assert!(matches!(refused, WriteError::TaskEnded(TaskState::Completed)), "{refused:?}");
    let changes = store.changes(0, 10).await.unwrap();
    assert_eq!((changes.head.revocation, changes.changes.len()), (1, 1), "{changes:?}");
    assert_eq!((changes.changes[0].level, changes.changes[0].name.as_str()), (Level::Task, "b"));
    let revoked = NewRevocation {
        level: Level::Agent,
        name: "agent".into(),
        audience: None,
        reason: Some("test".into()),
        by: "operator".into(),
        now: NOW,
        expires_at: None,
    };
    let written = ledger.write(Write::Revoke(revoked), Lines::new()).await.unwrap();
    assert!(matches!(written, Written::Revoked { is_new: true, .. }), "{written:?}");
    let refused = ledger.write(Write::Issue(conditions(&["a"])), Lines::new()).await.unwrap_err();
    assert!(matches!(refused, WriteError::Revoked(Level::Agent)), "{refused:?}");
    let lift = Write::Lift { level: Level::Agent, name: "agent".into(), by: "operator".into(), now: NOW };
    assert_eq!(ledger.write(lift.clone(), Lines::new()).await.unwrap(), Written::Lifted(true));
    assert_eq!(ledger.write(lift, Lines::new()).await.unwrap(), Written::Lifted(false));
    assert_eq!(ledger.write(Write::Issue(conditions(&["a"])), Lines::new()).await.unwrap(), Written::Done);
    assert_eq!(store.live_revocations(NOW).await.unwrap().changes.len(), 1);
    assert_eq!(store.changes(0, 10).await.unwrap().changes.len(), 3);
    assert_eq!(ledger.committed().borrow().revocation, 3);
    let batches = store.audit_chain("a", 0, 100).await.unwrap();
    let bodies: String = batches.iter().map(|batch| batch.body.as_str()).collect();
    assert_eq!(bodies.lines().count(), 5, "{bodies}");
}
