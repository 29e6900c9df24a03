//! Real databases for tests and benches: a SQLite file, or a PostgreSQL server of its own, gone when its handle is
//! dropped.

mod database;
mod postgres;

pub use database::Database;
pub use postgres::{Postgres, PostgresError};
