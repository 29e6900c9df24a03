//! The schema: embedded, the same for both databases, brought up to date by whoever opens the store.
//!
//! Written by hand where `sqlx::migrate!` would do, because that takes no lock over SQLite: of two replicas that open
//! a new file at once, one would fail.

use sqlx::{AssertSqlSafe, Executor as _};

use crate::{
    error::Fault,
    link::{Link, on_link},
};

/// Each brings the schema from the version before to its place in this list, from 1. A published one never changes.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

#[allow(clippy::cast_possible_wrap, reason = "a short list")]
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Any number that no other program takes a lock by. That a table is there already is no news.
const POSTGRES_LOCK: &str =
    "BEGIN; SET LOCAL client_min_messages = warning; SELECT pg_advisory_xact_lock(8391274410226533)";
const SQLITE_LOCK: &str = "BEGIN IMMEDIATE";

/// Brings the schema up to date, and says which version it was. One process at a time does; the others wait, and find it done.
pub(crate) async fn migrate(link: &mut Link) -> Result<i64, Fault> {
    let lock = match link {
        Link::Sqlite(..) => SQLITE_LOCK,
        Link::Postgres(_) => POSTGRES_LOCK,
    };
    on_link!(link, connection => {
        connection.execute(sqlx::raw_sql(lock)).await?;
        connection
            .execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)")
            .await?;
    });
    let found = version(link).await?;
    refuse_newer(found)?;
    for (version, migration) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        on_link!(link, connection => {
            connection.execute(sqlx::raw_sql(migration)).await?;
            let record = format!("INSERT INTO schema_version (version) VALUES ({version})");
            connection.execute(sqlx::raw_sql(AssertSqlSafe(record))).await?;
        });
    }
    on_link!(link, connection => connection.execute("COMMIT").await.map(|_| ()))?;
    Ok(found)
}

/// Refuses a schema that is not, or no longer, one that this version can use.
pub(crate) async fn check(link: &mut Link) -> Result<(), Fault> {
    let found = version(link).await?;
    refuse_newer(found)?;
    if found < KNOWN {
        return Err(Fault::Content(format!("its schema is version {found}, and {KNOWN} is needed")));
    }
    Ok(())
}

fn refuse_newer(found: i64) -> Result<(), Fault> {
    if found > KNOWN { Err(Fault::Newer { found, known: KNOWN }) } else { Ok(()) }
}

async fn version(link: &mut Link) -> Result<i64, Fault> {
    let query = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
    Ok(on_link!(link, connection => sqlx::query_scalar(query).fetch_one(connection).await)?)
}
