//! A ledger, and operations for it.

use audit::{Batch, Chain, ChainKey, Digest, Event, EventKind, Lines};
use store::{
    Conditions, Ended, Ledger, Level, NewRevocation, NewTask, Revocation, Store, Task, Write, WriteError,
    Written,
};
use test_databases::Database;

use crate::databases::location;

/// The instant of everything, Unix seconds.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn chain_key() -> ChainKey {
    ChainKey::from_bytes([7; 32])
}

/// A ledger whose chain is `writer`'s.
pub(crate) async fn ledger(database: &Database, writer: &str) -> Ledger {
    let chain = Chain::begin(writer.to_owned(), chain_key());
    let (ledger, work) = Ledger::open(location(database), chain).await.unwrap();
    tokio::spawn(work);
    ledger
}

/// An event about `name`.
pub(crate) fn event(name: &str) -> Lines {
    let name = Some(name.into());
    Lines::of(&Event { at: NOW * 1000, event: EventKind::TokenIssued, name, ..Event::default() })
}

/// A task of `client`'s that lives for ten minutes.
pub(crate) fn task(id: &str, parent: Option<&str>) -> NewTask {
    NewTask {
        id: id.into(),
        parent: parent.map(Into::into),
        client: "client".into(),
        subject: "subject".into(),
        agent: "agent".into(),
        audience: "mesh".into(),
        grants: r#"[{"actions":["a:b"]}]"#.into(),
        cnf: None,
        max_depth: 2,
        note: Some("'\"\\ü".into()),
        created_at: NOW,
        expires_at: NOW + 600,
    }
}

pub(crate) fn conditions(tasks: &[&str]) -> Conditions {
    let names = [(Level::Agent, "agent"), (Level::Subject, "subject"), (Level::Client, "client")];
    Conditions {
        now: NOW,
        tasks: tasks.iter().map(|id| (*id).to_owned()).collect(),
        client: Some("client".into()),
        names: names.map(|(level, name)| (level, name.to_owned())).into(),
        keys: 0,
        epoch: 1,
        limits: Vec::new(),
    }
}

pub(crate) fn start(task: NewTask) -> Write {
    Write::Start { task, conditions: conditions(&[]) }
}

pub(crate) fn issue(tasks: &[&str]) -> Write {
    Write::Issue(conditions(tasks))
}

pub(crate) fn complete(task: &str) -> Write {
    let (client, by) = (Some("client".into()), "client".into());
    Write::End { task: task.into(), client, state: Ended::Completed, by, reason: None, now: NOW + 1 }
}

pub(crate) fn revocation(level: Level, name: &str) -> NewRevocation {
    let (by, reason) = ("operator".into(), Some("a test".into()));
    NewRevocation { level, name: name.into(), audience: None, reason, by, now: NOW, expires_at: None }
}

pub(crate) fn lift(level: Level, name: &str) -> Write {
    Write::Lift { level, name: name.into(), by: "operator".into(), now: NOW + 2 }
}

/// What writes does in these tests most often.
pub(crate) trait Ledgers {
    async fn done(&self, write: Write) -> Written;
    async fn refused(&self, write: Write) -> WriteError;
    async fn started(&self, task: NewTask) -> Task;
    async fn revoked(&self, revocation: NewRevocation) -> (Revocation, bool);
}

impl Ledgers for Ledger {
    async fn done(&self, write: Write) -> Written {
        self.write(write, event("done")).await.unwrap()
    }

    async fn refused(&self, write: Write) -> WriteError {
        self.write(write, event("refused")).await.unwrap_err()
    }

    async fn started(&self, task: NewTask) -> Task {
        match self.done(start(task)).await {
            Written::Task(task) => task,
            other => panic!("{other:?}"),
        }
    }

    async fn revoked(&self, revocation: NewRevocation) -> (Revocation, bool) {
        match self.done(Write::Revoke(revocation)).await {
            Written::Revoked { revocation, is_new } => (revocation, is_new),
            other => panic!("{other:?}"),
        }
    }
}

/// The whole chain of `writer`, whose every link holds.
pub(crate) async fn chain(store: &Store, writer: &str) -> Vec<Batch> {
    let batches = store.audit_chain(writer, 0, u32::MAX).await.unwrap();
    let mut previous = Digest::default();
    for (place, batch) in (1..).zip(&batches) {
        assert_eq!((batch.seq, batch.previous), (place, previous), "{batch:?}");
        assert_eq!((batch.hash, batch.mac), (batch.digest(), batch.keyed(&chain_key())), "{batch:?}");
        assert_eq!(u64::try_from(batch.body.lines().count()).unwrap(), batch.events, "{batch:?}");
        previous = batch.hash;
    }
    let writers = store.audit_writers().await.unwrap();
    let known = writers.iter().find(|known| known.head.writer == writer);
    let head = known.map(|known| (known.head.seq, known.head.hash));
    assert_eq!(head, batches.last().map(|batch| (batch.seq, batch.hash)));
    batches
}

/// Names of the events in the chain of `writer`.
pub(crate) async fn names(store: &Store, writer: &str) -> Vec<String> {
    let body: String = chain(store, writer).await.into_iter().map(|batch| batch.body).collect();
    let name = |line: &str| {
        let event: Event<'_> = serde_json::from_str(line).unwrap();
        event.name.or(event.task).unwrap_or_default().into_owned()
    };
    body.lines().map(name).collect()
}
