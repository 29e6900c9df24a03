//! Restoring a backup.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, BufRead},
};

use audit::Digest;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Executor as _};

use super::{
    RestoreError,
    form::{FORM, First, Last, Row},
    tables::TABLES,
};
use crate::{
    Head, Store,
    error::Fault,
    ledger::lock,
    link::{Link, on_link},
    number::signed,
    schema,
    sealed::sealed,
    store::bounded,
};

/// Rows that one statement adds, in bytes of their JSON.
const PIECE: usize = 1024 * 1024;
/// A server that was there within this time is there still, seconds.
const THERE: u64 = 30;

/// How to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restore {
    /// Unix seconds.
    pub now: u64,
    /// Also into a store that holds something already.
    pub force: bool,
}

/// What holds from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What counts. No token from before it passes.
    pub head: Head,
    /// The epoch that the backup was made in.
    pub backup_epoch: u64,
    /// How many rows the backup had.
    pub rows: u64,
    /// Tasks that were active in the backup: nobody knows whether they have ended since, so they have now.
    pub ended_tasks: u64,
}

const IS_USED: &str = "SELECT (SELECT latest_generation FROM store) > 0 OR EXISTS (SELECT 1 FROM tasks) \
    OR EXISTS (SELECT 1 FROM revocations) OR EXISTS (SELECT 1 FROM signing_keys) \
    OR EXISTS (SELECT 1 FROM client_secrets) OR EXISTS (SELECT 1 FROM audit_batches)";
const SERVED: &str = "SELECT id FROM replicas WHERE seen_at BETWEEN $1 AND $2 ORDER BY id LIMIT 1";
/// What the backup replaces. What was revoked and what was recorded stays, whatever the backup says.
const REPLACED: [&str; 6] = [
    "DELETE FROM replicas",
    "DELETE FROM policy_generations",
    "DELETE FROM client_secrets",
    "DELETE FROM tasks",
    "DELETE FROM signing_keys",
    "DELETE FROM sealed_secrets",
];
/// Makes room for the places of the backup.
const SHIFT: &str = "UPDATE revocations SET seq = seq + $1, lifted_seq = lifted_seq + $1";
/// What stands in the store stands once.
const DOUBLE: &str = "DELETE FROM revocations WHERE seq <= $1 AND lifted_seq IS NULL AND EXISTS ( \
    SELECT 1 FROM revocations k WHERE k.seq > $1 AND k.level = revocations.level AND k.name = revocations.name \
    AND k.lifted_seq IS NULL)";
/// A chain's end is where its last batch is.
const HEADS: &str = "UPDATE audit_writers SET head_seq = b.seq, head_hash = b.hash, head_mac = b.mac \
    FROM audit_batches b WHERE b.writer = audit_writers.writer AND b.seq > audit_writers.head_seq \
    AND b.seq = (SELECT MAX(seq) FROM audit_batches l WHERE l.writer = b.writer)";
/// What was removed for its age does not come back: its chain says that it is gone.
const PRUNED: &str = "DELETE FROM audit_batches WHERE seq <= \
    (SELECT pruned_seq FROM audit_writers w WHERE w.writer = audit_batches.writer)";
const END_TASKS: &str = "UPDATE tasks SET state = 'revoked', ended_at = $1 WHERE state = 'active'";
const SET_HEAD: &str = "UPDATE store SET epoch = $1, min_iat = $2, latest_generation = $3, revocation = $4, keys = 0 \
    WHERE id = 1";

impl Store {
    /// Puts a backup in the place of what the store holds, as a new epoch.
    ///
    /// No token from before passes; tasks that were active have ended; and the signing keys of the backup are not taken
    /// up, because one of them may have been withdrawn since: the next server that starts makes new ones. What is
    /// revoked in the store stays revoked, and its audit log stays.
    ///
    /// `check` is given the sealed secrets of the backup, by name, before anything counts.
    ///
    /// # Errors
    /// See [`RestoreError`]. Nothing was changed.
    pub async fn restore<E: Error + Send + Sync + 'static>(
        &self,
        backup: &mut (impl BufRead + Send),
        restore: Restore,
        check: impl FnOnce(&BTreeMap<String, String>) -> Result<(), E> + Send,
    ) -> Result<Restored, RestoreError> {
        let mut lines = Lines { backup, hash: Sha256::new(), text: String::new() };
        let first = lines.first()?;
        let mut lease = self.lease().await?;
        let check = |secrets: &_| check(secrets).map_err(|error| RestoreError::Unusable(error.into()));
        let done = fill(&mut lease.link, &mut lines, first, restore, check).await;
        match done {
            Ok(restored) => {
                lease.give_back();
                Ok(restored)
            }
            Err(Failure::Store(fault)) => Err(lease.error(fault).into()),
            Err(Failure::NotEmpty) => Err(RestoreError::NotEmpty(self.location().to_string())),
            Err(Failure::Other(error)) => Err(error),
        }
    }
}

async fn fill(
    link: &mut Link,
    lines: &mut Lines<'_, impl BufRead>,
    first: First,
    Restore { now, force }: Restore,
    check: impl FnOnce(&BTreeMap<String, String>) -> Result<(), RestoreError>,
) -> Result<Restored, Failure> {
    let before = bounded(lock(link)).await?;
    check_store(link, now, force).await?;
    let backup = first.head();
    // As of replicas whose store was lost with all that counted in it: time goes on in any case.
    let floor = now.max(backup.revocation).max(before.revocation);
    let head = Head {
        epoch: now.max(backup.epoch).max(before.epoch).saturating_add(1),
        min_iat: now.saturating_add(1).max(backup.min_iat).max(before.min_iat),
        latest: backup.latest,
        revocation: floor.saturating_add(before.revocation),
        keys: 0,
    };
    for statement in REPLACED {
        run(link, statement, &[]).await?;
    }
    let floor = signed(floor)?;
    run(link, SHIFT, &[floor]).await?;
    let rows = copy(link, lines).await?;
    check(&sealed(link).await?).map_err(Failure::Other)?;
    run(link, DOUBLE, &[floor]).await?;
    run(link, HEADS, &[]).await?;
    run(link, PRUNED, &[]).await?;
    run(link, "DELETE FROM signing_keys", &[]).await?;
    let ended_tasks = run(link, END_TASKS, &[signed(now)?]).await?;
    let [epoch, min_iat, latest, revocation] =
        [signed(head.epoch)?, signed(head.min_iat)?, signed(head.latest)?, signed(head.revocation)?];
    run(link, SET_HEAD, &[epoch, min_iat, latest, revocation]).await?;
    if matches!(link, Link::Postgres(_)) {
        run(link, "NOTIFY writ", &[]).await?;
    }
    run(link, "COMMIT", &[]).await?;
    Ok(Restored { head, backup_epoch: backup.epoch, rows, ended_tasks })
}

async fn check_store(link: &mut Link, now: u64, force: bool) -> Result<(), Failure> {
    let (from, until) = (signed(now.saturating_sub(THERE))?, signed(now.saturating_add(THERE))?);
    let (served, is_used): (Option<String>, bool) = on_link!(link, connection => {
        let served = sqlx::query_scalar(SERVED).bind(from).bind(until).fetch_optional(&mut *connection).await?;
        (served, sqlx::query_scalar(IS_USED).fetch_one(&mut *connection).await?)
    });
    if let Some(server) = served {
        return Err(Failure::Other(RestoreError::Served(server)));
    }
    if is_used && !force { Err(Failure::NotEmpty) } else { Ok(()) }
}

/// Adds the rows of the backup, and makes sure that none is missing.
async fn copy(link: &mut Link, lines: &mut Lines<'_, impl BufRead>) -> Result<u64, Failure> {
    let tables: BTreeMap<&str, String> =
        TABLES.iter().map(|table| (table.name, table.insert(link))).collect();
    let (mut rows, mut table, mut piece) = (0, "", String::new());
    loop {
        let hash = lines.hash.clone();
        let Some(line) = lines.next()? else {
            return Err(Failure::Other(RestoreError::Damaged("its last line is missing")));
        };
        if let Ok(last) = serde_json::from_str::<Last>(line) {
            let sha256 = Digest(hash.finalize().into()).to_string();
            if last != (Last { rows, sha256 }) {
                return Err(Failure::Other(RestoreError::Damaged("its last line does not fit the others")));
            }
            add(link, tables.get(table), &mut piece).await?;
            return match lines.next()? {
                None => Ok(rows),
                Some(_) => Err(Failure::Other(RestoreError::Damaged("it goes on after its last line"))),
            };
        }
        let row: Row<'_> = serde_json::from_str(line)
            .map_err(|error| Failure::Other(RestoreError::Form(format!("row {}: {error}", rows + 1))))?;
        let Some((known, _)) = tables.get_key_value(&*row.table) else {
            let reason = format!("row {}: there is no table `{}`", rows + 1, row.table);
            return Err(Failure::Other(RestoreError::Form(reason)));
        };
        if *known != table || piece.len() + row.row.get().len() > PIECE {
            add(link, tables.get(table), &mut piece).await?;
            table = known;
        }
        piece.push(if piece.is_empty() { '[' } else { ',' });
        piece.push_str(row.row.get());
        rows += 1;
    }
}

async fn add(link: &mut Link, statement: Option<&String>, piece: &mut String) -> Result<(), Fault> {
    let Some(statement) = statement.filter(|_| !piece.is_empty()) else { return Ok(()) };
    piece.push(']');
    let (statement, piece) = (AssertSqlSafe(statement.clone()), std::mem::take(piece));
    bounded(async {
        on_link!(link, connection => {
            sqlx::query(statement).bind(piece).execute(connection).await.map(|_| ())
        })
    })
    .await
}

async fn run(link: &mut Link, statement: &'static str, numbers: &[i64]) -> Result<u64, Fault> {
    Ok(on_link!(link, connection => {
        if numbers.is_empty() {
            connection.execute(statement).await?.rows_affected()
        } else {
            let mut query = sqlx::query(statement);
            for number in numbers {
                query = query.bind(*number);
            }
            query.execute(connection).await?.rows_affected()
        }
    }))
}

enum Failure {
    Store(Fault),
    NotEmpty,
    Other(RestoreError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

struct Lines<'b, B> {
    backup: &'b mut B,
    /// Of all lines that were read.
    hash: Sha256,
    text: String,
}

impl<B: BufRead> Lines<'_, B> {
    fn next(&mut self) -> io::Result<Option<&str>> {
        self.text.clear();
        let read = self.backup.read_line(&mut self.text)?;
        self.hash.update(&self.text);
        Ok((read > 0).then_some(self.text.as_str()))
    }

    fn first(&mut self) -> Result<First, RestoreError> {
        let line = self.next()?.unwrap_or_default();
        let first: First =
            serde_json::from_str(line).map_err(|error| RestoreError::Form(error.to_string()))?;
        if first.writ_backup != FORM {
            return Err(RestoreError::Form(format!(
                "its form is {}, and {FORM} is known",
                first.writ_backup
            )));
        }
        if first.schema > schema::KNOWN {
            return Err(RestoreError::Newer { found: first.schema, known: schema::KNOWN });
        }
        Ok(first)
    }
}
