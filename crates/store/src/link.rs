//! One connection to either database.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::time::sleep;

use crate::{
    error::Fault,
    location::{Place, StoreLocation},
};

/// How long another process may hold a SQLite file's lock before a call fails.
const BUSY: Duration = Duration::from_secs(3);
/// A replica that is cut off in the middle of a transaction holds up no other for longer than this, and what is
/// acknowledged is on disk.
const MANNERS: &str = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s'; \
    SELECT set_config('synchronous_commit', 'on', FALSE) \
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";
/// Between attempts to open a file that another process is making.
const PAUSE: Duration = Duration::from_millis(20);

/// A connection. Dropped, it is closed at once, and what it had begun is rolled back.
pub(crate) enum Link {
    Sqlite(SqliteConnection, Identity),
    Postgres(Box<PgConnection>),
}

/// Runs the same statements over whichever connection `$link` is.
macro_rules! on_link {
    ($link:expr, $connection:ident => $work:expr) => {
        match $link {
            $crate::link::Link::Sqlite($connection, _) => $work,
            $crate::link::Link::Postgres($connection) => {
                let $connection = &mut **$connection;
                $work
            }
        }
    };
}
pub(crate) use on_link;

/// One statement in the words of either database.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Sql {
    /// In the words of the database that `link` leads to.
    pub(crate) fn of(self, link: &Link) -> &'static str {
        match link {
            Link::Sqlite(..) => self.sqlite,
            Link::Postgres(_) => self.postgres,
        }
    }
}

/// Device and inode: which file it is, under whatever name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

impl Link {
    /// Connects. A SQLite file must be there: see [`create_file`].
    pub(crate) async fn connect(location: &StoreLocation) -> Result<Self, Fault> {
        match &location.0 {
            Place::File(path) => connect_file(path).await,
            Place::Server(options) => {
                // Statements are the program's own and say nothing that a log needs.
                let options = options.as_ref().clone().disable_statement_logging();
                let connected = async {
                    let mut connection = PgConnection::connect_with(&options).await?;
                    connection.execute(sqlx::raw_sql(MANNERS)).await?;
                    Ok(Self::Postgres(Box::new(connection)))
                };
                connected.await.map_err(|error: sqlx::Error| Fault::of_connecting(&error))
            }
        }
    }

    /// Whether the location still leads to what this is connected to: a file may have been put in its place.
    pub(crate) fn leads_to(&self, location: &StoreLocation) -> bool {
        match (self, &location.0) {
            (Self::Sqlite(_, identity), Place::File(path)) => {
                identify(path).is_ok_and(|found| found == *identity)
            }
            _ => true,
        }
    }
}

/// Makes an empty file for its owner alone, if there is none; SQLite gives its other files the same mode.
pub(crate) fn create_file(path: &Path) -> Result<(), Fault> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Fault::Unreachable(format!("cannot make the file: {error}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a file that others than its owner may use: it holds policy, and decides.
fn check_mode(path: &Path) -> Result<(), Fault> {
    let mode = fs::metadata(path).map_err(|error| Fault::Unreachable(error.to_string()))?.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Fault::Unreachable(format!("the file's mode {mode:o} lets others use it: make it 600")))
}

async fn connect_file(path: &Path) -> Result<Link, Fault> {
    check_mode(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        // Readers and the one writer do not wait for each other.
        .journal_mode(SqliteJournalMode::Wal)
        // What is acknowledged survives a loss of power.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    loop {
        let identity = identify(path).map_err(|error| Fault::Unreachable(error.to_string()))?;
        match SqliteConnection::connect_with(&options).await {
            Ok(connection) => return Ok(Link::Sqlite(connection, identity)),
            // The switch to a write-ahead log waits for no lock. The caller bounds how long this goes on.
            Err(error) if is_busy(&error) => sleep(PAUSE).await,
            Err(error) => return Err(Fault::of_connecting(&error)),
        }
    }
}

fn identify(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|metadata| Identity(metadata.dev(), metadata.ino()))
}

/// `SQLITE_BUSY` and its extended codes share their low byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}
