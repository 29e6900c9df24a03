//! A store in a database.

use store::{Store, StoreLocation};
use test_databases::Database;

pub(crate) fn location(database: &Database) -> StoreLocation {
    database.url().parse().unwrap()
}

/// One replica's store.
pub(crate) async fn open(database: &Database) -> Store {
    Store::open(location(database)).await.unwrap()
}
