//! Writing to a store as another replica does.

use std::time::{SystemTime, UNIX_EPOCH};

use audit::{Chain, ChainKey, Event, EventKind, Lines};
use store::{Ledger, Level, NewRevocation, Write, WriteError, Written};
use test_databases::Database;
use tokio::time::timeout;
use verdict::revocation::{Hash, HashKey, Kind};

use super::{Setup, writ::PATIENCE};

/// Another replica's ledger.
#[derive(Clone)]
pub(crate) struct Writer(Ledger);

impl Writer {
    pub(crate) async fn open(database: &Database, name: &str) -> Self {
        let chain = Chain::begin(name.to_owned(), ChainKey::from_bytes([7; 32]));
        let (ledger, work) = Ledger::open(database.url().parse().unwrap(), chain).await.unwrap();
        tokio::spawn(work);
        Self(ledger)
    }

    /// Revokes a task for an hour; its place in the order.
    pub(crate) async fn revoke_task(&self, task: &str) -> u64 {
        self.revoke(Level::Task, task, None, Some(now() + 3600)).await
    }

    pub(crate) async fn revoke(
        &self,
        level: Level,
        name: &str,
        audience: Option<&str>,
        expires_at: Option<u64>,
    ) -> u64 {
        let write = Write::Revoke(NewRevocation {
            level,
            name: name.to_owned(),
            audience: audience.map(str::to_owned),
            reason: None,
            by: "test".to_owned(),
            now: now(),
            expires_at,
        });
        match self.write(write, EventKind::Revoked).await {
            Written::Revoked { revocation, .. } => revocation.seq,
            other => panic!("{other:?}"),
        }
    }

    /// Tries again where the store was too slow: what was done already is not done twice.
    async fn write(&self, write: Write, kind: EventKind) -> Written {
        let event = Lines::of(&Event { at: now() * 1000, event: kind, ..Event::default() });
        let writing = async {
            loop {
                match self.0.write(write.clone(), event.clone()).await {
                    Err(WriteError::Store(_) | WriteError::Busy) => tokio::task::yield_now().await,
                    done => return done.unwrap(),
                }
            }
        };
        timeout(PATIENCE, writing).await.expect("the store takes nothing")
    }

    pub(crate) async fn lift(&self, level: Level, name: &str) {
        let (name, by) = (name.to_owned(), "test".to_owned());
        let write = Write::Lift { level, name, by, now: now() };
        assert_eq!(self.write(write, EventKind::Lifted).await, Written::Lifted(true));
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The key of what data planes are told of names, as an exported snapshot has it.
pub(crate) fn hash_key(setup: &Setup) -> HashKey {
    let output = setup.run(&["snapshot", "export"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plugin: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    HashKey::parse(plugin["snapshot"]["hash_key"].as_str().unwrap()).unwrap()
}

/// How data planes are told of a name.
pub(crate) fn hashed(setup: &Setup, kind: Kind, name: &str) -> Hash {
    hash_key(setup).hash(kind, name)
}
