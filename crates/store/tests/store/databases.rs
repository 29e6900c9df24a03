//! A store in a database.

use store::{Store, StoreLocation};
use test_databases::Database;

/// Each function is a test over SQLite, and one over PostgreSQL.
macro_rules! over_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(test_databases::Database::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(test_databases::Database::postgres()).await;
                }
            )*
        }
    };
}
pub(crate) use over_both;

pub(crate) fn location(database: &Database) -> StoreLocation {
    database.url().parse().unwrap()
}

/// One replica's store.
pub(crate) async fn open(database: &Database) -> Store {
    Store::open(location(database)).await.unwrap()
}
