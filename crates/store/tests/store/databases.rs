//! A database of either kind, and what its owner does to it.

use store::{Store, StoreLocation};
use tempfile::TempDir;
use test_postgres::Postgres;

/// Where a store can be, and by what its content is reached without it.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(Box<Postgres>),
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(Box::new(Postgres::start().unwrap()))
    }

    pub(crate) fn location(&self) -> StoreLocation {
        match self {
            Self::Sqlite(directory) => StoreLocation::file(directory.path().join("writ.db")),
            Self::Postgres(server) => server.url().parse().unwrap(),
        }
    }

    /// One replica's store.
    pub(crate) async fn open(&self) -> Store {
        Store::open(self.location()).await.unwrap()
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn execute(&self, statement: &str) {
        use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};

        match self {
            Self::Sqlite(directory) => {
                let options = SqliteConnectOptions::new().filename(directory.path().join("writ.db"));
                let mut connection = options.connect().await.unwrap();
                connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
            }
            Self::Postgres(server) => {
                server.query(statement).unwrap();
            }
        }
    }
}
