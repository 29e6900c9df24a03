//! A database of either kind, and what its owner does to it behind a store's back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use crate::Postgres;

/// Where a store can be.
#[derive(Debug)]
pub enum Database {
    /// A file in a directory.
    Sqlite(TempDir),
    /// A server.
    Postgres(Box<Postgres>),
}

impl Database {
    /// No file yet.
    ///
    /// # Panics
    /// There is no directory to be had.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::with_prefix("writ-sqlite-").unwrap_or_else(|error| panic!("{error}")))
    }

    /// A running server.
    ///
    /// # Panics
    /// It is not installed, or does not start.
    #[must_use]
    pub fn postgres() -> Self {
        Self::Postgres(Box::new(Postgres::start().unwrap_or_else(|error| panic!("{error}"))))
    }

    /// As `writ.yaml` names it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(directory) => format!("sqlite:{}", file(directory).display()),
            Self::Postgres(server) => server.url(),
        }
    }

    /// Runs a statement.
    ///
    /// # Panics
    /// The database refuses it.
    pub async fn execute(&self, statement: &str) {
        match self {
            Self::Sqlite(directory) => {
                let options = SqliteConnectOptions::new().filename(file(directory));
                let execute = async {
                    let mut connection = options.connect().await?;
                    connection.execute(AssertSqlSafe(statement.to_owned())).await?;
                    connection.close().await
                };
                execute.await.unwrap_or_else(|error: sqlx::Error| panic!("{statement}: {error}"));
            }
            Self::Postgres(server) => {
                server.query(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        }
    }

    /// From here on it cannot be reached.
    ///
    /// # Panics
    /// The file is not there.
    pub fn take_away(&mut self) {
        match self {
            Self::Sqlite(directory) => rename(&file(directory), &away(directory)),
            Self::Postgres(server) => server.stop(),
        }
    }

    /// It is back, as it was.
    ///
    /// # Panics
    /// It was not taken away, or does not start.
    pub fn bring_back(&mut self) {
        match self {
            Self::Sqlite(directory) => rename(&away(directory), &file(directory)),
            Self::Postgres(server) => server.restart().unwrap_or_else(|error| panic!("{error}")),
        }
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("writ.db")
}

fn away(directory: &TempDir) -> PathBuf {
    directory.path().join("away.db")
}

fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}
