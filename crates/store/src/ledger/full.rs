//! A disk that is full, as SQLite tells of it: here, of a bound that one connection has.

use audit::{Chain, ChainKey, Event, Lines};
use sqlx::Executor as _;

use super::{Ledger, Write, WriteError};
use crate::{Level, NewRevocation, Store, StoreLocation, link::Link};

#[tokio::test]
async fn nothing_is_half_done_and_room_is_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreLocation::file(directory.path().join("writ.db"))).await.unwrap();
    let (head, reader) = (store.head().await.unwrap(), Store::existing(store.location().clone()));
    let mut link = store.lease().await.unwrap().link;
    let Link::Sqlite(connection, _) = &mut link else { unreachable!() };
    // No page more than there are.
    connection.execute("PRAGMA max_page_count = 1").await.unwrap();
    let chain = Chain::begin("a".to_owned(), ChainKey::from_bytes([7; 32]));
    let (ledger, work) = Ledger::begin(store, link, head, chain);
    tokio::spawn(work);
    let write = || {
        let long = "long".repeat(10_000);
        let events = Lines::of(&Event { name: Some(long.into()), ..Event::default() });
        let revocation = NewRevocation {
            level: Level::Agent,
            name: "agent".into(),
            audience: None,
            reason: None,
            by: "test".into(),
            now: 1,
            expires_at: None,
        };
        ledger.write(Write::Revoke(revocation), events)
    };
    let Err(WriteError::Store(error)) = write().await else { panic!("there was room") };
    assert!(error.is_full() && error.to_string().contains("has no room left"), "{error}");
    assert_eq!(reader.changes(0, 10).await.unwrap().changes, []);
    // The next connection has room.
    write().await.unwrap();
    assert_eq!(reader.changes(0, 10).await.unwrap().changes.len(), 1);
    assert_eq!(reader.audit_chain("a", 0, 10).await.unwrap().len(), 1);
}
