//! Writing a backup.

use std::io::{self, Write};

use audit::Digest;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _};

use super::{
    BackedUp, BackupError,
    form::{First, Last, Row},
    tables::TABLES,
};
use crate::{
    Store,
    error::Fault,
    head::{self, HEAD, head},
    link::{Link, Sql, on_link},
    schema,
};

/// All of it is of one instant, and nobody who writes waits for it.
const BEGIN: Sql = Sql { sqlite: "BEGIN", postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };

impl Store {
    /// Writes the whole store to `out`, as it is at one instant. What is secret in it stays encrypted or hashed.
    ///
    /// # Errors
    /// The store cannot be read, or `out` cannot be written.
    pub async fn backup(&self, out: &mut (impl Write + Send)) -> Result<BackedUp, BackupError> {
        let mut lease = self.lease().await?;
        let mut lines = Lines { out, hash: Sha256::new(), rows: 0 };
        let head = match copy(&mut lease.link, &mut lines).await {
            Ok(head) => head,
            Err(Failure::Store(fault)) => return Err(lease.error(fault).into()),
            Err(Failure::Write(error)) => return Err(error.into()),
        };
        lease.give_back();
        let rows = lines.rows;
        lines.end()?;
        Ok(BackedUp { head, rows })
    }
}

async fn copy(link: &mut Link, lines: &mut Lines<'_, impl Write>) -> Result<crate::Head, Failure> {
    let begin = BEGIN.of(link);
    let row: head::Row = on_link!(link, connection => {
        connection.execute(begin).await?;
        sqlx::query_as(HEAD).fetch_one(&mut *connection).await?
    });
    let head = head(row)?;
    lines.line(&First::new(schema::KNOWN, head))?;
    for table in TABLES {
        let select = table.select(link);
        on_link!(link, connection => {
            let mut rows = sqlx::query_scalar(AssertSqlSafe(select)).fetch(&mut *connection);
            while let Some(row) = rows.try_next().await? {
                let row: String = row;
                let row = RawValue::from_string(row).map_err(|error| Fault::Content(error.to_string()))?;
                lines.line(&Row { table: table.name.into(), row: &row })?;
                lines.rows += 1;
            }
        });
    }
    on_link!(link, connection => connection.execute("ROLLBACK").await.map(|_| ()))?;
    Ok(head)
}

enum Failure {
    Write(io::Error),
    Store(Fault),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl<E: Into<Fault>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

struct Lines<'o, O> {
    out: &'o mut O,
    hash: Sha256,
    rows: u64,
}

impl<O: Write> Lines<'_, O> {
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }

    fn end(mut self) -> io::Result<()> {
        let sha256 = Digest(std::mem::take(&mut self.hash).finalize().into()).to_string();
        let rows = self.rows;
        self.line(&Last { rows, sha256 })?;
        self.out.flush()
    }
}
