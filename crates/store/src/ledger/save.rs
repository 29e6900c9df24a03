//! Writing what a batch changed, and the events of it.

use audit::Batch;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor as _};

use super::{limit::save as save_limits, load::json, view::View};
use crate::{
    Head,
    error::Fault,
    keys,
    link::{Link, Sql, on_link},
    number::signed,
    revocation, task,
};

const START: Sql = Sql {
    sqlite: "INSERT INTO tasks (id, parent, path, client, subject, agent, audience, grants, cnf, max_depth, note, \
         state, created_at, expires_at, ended_at) \
         SELECT value ->> 'id', value ->> 'parent', value ->> 'path', value ->> 'client', value ->> 'subject', \
         value ->> 'agent', value ->> 'audience', value ->> 'grants', value ->> 'cnf', value ->> 'max_depth', \
         value ->> 'note', value ->> 'state', value ->> 'created_at', value ->> 'expires_at', value ->> 'ended_at' \
         FROM json_each($1)",
    postgres: "INSERT INTO tasks (id, parent, path, client, subject, agent, audience, grants, cnf, max_depth, note, \
         state, created_at, expires_at, ended_at) \
         SELECT id, parent, path, client, subject, agent, audience, grants, cnf, max_depth, note, \
         state, created_at, expires_at, ended_at FROM json_populate_recordset(NULL::tasks, $1::json)",
};

const END: Sql = Sql {
    sqlite: "UPDATE tasks SET state = e.value ->> 'state', ended_at = e.value ->> 'ended_at' \
         FROM json_each($1) e WHERE tasks.id = e.value ->> 'id'",
    postgres: "UPDATE tasks SET state = e.state, ended_at = e.ended_at \
         FROM json_to_recordset($1::json) AS e(id TEXT, state TEXT, ended_at BIGINT) WHERE tasks.id = e.id",
};

const REPLACE: Sql = Sql {
    sqlite: "DELETE FROM revocations WHERE seq IN (SELECT value FROM json_each($1))",
    postgres: "DELETE FROM revocations WHERE seq = \
         ANY(ARRAY(SELECT value::bigint FROM json_array_elements_text($1::json)))",
};

const REVOKE: Sql = Sql {
    sqlite: "INSERT INTO revocations (seq, level, name, audience, reason, revoked_by, revoked_at, expires_at, \
         lifted_seq, lifted_by, lifted_at) \
         SELECT value ->> 'seq', value ->> 'level', value ->> 'name', value ->> 'audience', value ->> 'reason', \
         value ->> 'revoked_by', value ->> 'revoked_at', value ->> 'expires_at', value ->> 'lifted_seq', \
         value ->> 'lifted_by', value ->> 'lifted_at' FROM json_each($1)",
    postgres: "INSERT INTO revocations (seq, level, name, audience, reason, revoked_by, revoked_at, expires_at, \
         lifted_seq, lifted_by, lifted_at) \
         SELECT seq, level, name, audience, reason, revoked_by, revoked_at, expires_at, \
         lifted_seq, lifted_by, lifted_at FROM json_populate_recordset(NULL::revocations, $1::json)",
};

const FORGET_KEYS: Sql = Sql {
    sqlite: "DELETE FROM signing_keys WHERE kid IN (SELECT value FROM json_each($1))",
    postgres: "DELETE FROM signing_keys WHERE kid = ANY(ARRAY(SELECT json_array_elements_text($1::json)))",
};

pub(crate) const PUT_KEYS: Sql = Sql {
    sqlite: "INSERT INTO signing_keys (kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp) \
         SELECT value ->> 'kid', value ->> 'alg', value ->> 'public_key', value ->> 'sealed', value ->> 'state', \
         value ->> 'created_at', value ->> 'active_at', value ->> 'retired_at', value ->> 'last_exp' FROM json_each($1)",
    postgres: "INSERT INTO signing_keys (kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp) \
         SELECT kid, alg, public_key, sealed, state, created_at, active_at, retired_at, last_exp \
         FROM json_populate_recordset(NULL::signing_keys, $1::json)",
};

macro_rules! keep {
    () => {
        "INSERT INTO audit_batches (writer, seq, sealed_at, events, body, previous, hash, mac) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    };
}

macro_rules! keep_head {
    () => {
        "ON CONFLICT (writer) DO UPDATE \
         SET head_seq = excluded.head_seq, head_hash = excluded.head_hash, head_mac = excluded.head_mac"
    };
}

/// The batch and the new end of its chain in one exchange; with SQLite the commit, too.
const KEEP: Sql = Sql {
    sqlite: concat!(
        keep!(),
        "; ",
        "INSERT INTO audit_writers (writer, started_at, head_seq, head_hash, head_mac) VALUES ($1, $9, $2, $7, $8) ",
        keep_head!(),
        "; COMMIT"
    ),
    postgres: concat!(
        "WITH kept AS (",
        keep!(),
        " RETURNING writer, seq, hash, mac) ",
        "INSERT INTO audit_writers (writer, started_at, head_seq, head_hash, head_mac) ",
        "SELECT writer, $9, seq, hash, mac FROM kept ",
        keep_head!()
    ),
};

const KEPT: &str = "SELECT hash FROM audit_batches WHERE writer = $1 AND seq = $2";

#[derive(Serialize)]
struct EndRow<'t> {
    id: &'t str,
    state: &'static str,
    ended_at: Option<i64>,
}

/// Writes what changed in `view` since the store's row was locked, when it said `before`.
pub(super) async fn save(link: &mut Link, view: &View, before: Head) -> Result<(), Fault> {
    let changes = view.changes();
    if !changes.started.is_empty() {
        let tasks = changes.started.iter().filter_map(|id| view.task(id));
        let rows: Vec<_> = tasks.map(task::row::NewRow::new).collect::<Result<_, _>>()?;
        run(link, START, json(&rows)?).await?;
    }
    let ended = changes.ended.iter().filter(|id| !changes.started.contains(id));
    let ended = ended.filter_map(|id| view.task(id)).map(|task| {
        let ended_at = task.ended_at.map(signed).transpose()?;
        Ok(EndRow { id: &task.id, state: task.state.name(), ended_at })
    });
    let ended: Vec<_> = ended.collect::<Result<_, Fault>>()?;
    if !ended.is_empty() {
        run(link, END, json(&ended)?).await?;
    }
    save_limits(link, &view.limits).await?;
    if !changes.replaced.is_empty() {
        run(link, REPLACE, json(&changes.replaced)?).await?;
    }
    let revoked = view.changed_revocations().map(revocation::row::NewRow::new);
    let revoked: Vec<_> = revoked.collect::<Result<_, _>>()?;
    if !revoked.is_empty() {
        run(link, REVOKE, json(&revoked)?).await?;
    }
    if !changes.keys.is_empty() {
        let kids: Vec<&String> = changes.keys.keys().collect();
        run(link, FORGET_KEYS, json(&kids)?).await?;
        let put: Vec<_> = changes.keys.values().flatten().map(keys::NewRow::new).collect::<Result<_, _>>()?;
        run(link, PUT_KEYS, json(&put)?).await?;
    }
    if (view.head.revocation, view.head.keys) != (before.revocation, before.keys) {
        raise(link, view.head).await?;
    }
    Ok(())
}

/// Raises the sequences, and tells whoever listens once this is committed.
async fn raise(link: &mut Link, head: Head) -> Result<(), Fault> {
    let (revocation, keys) = (signed(head.revocation)?, signed(head.keys)?);
    let hint = match link {
        Link::Sqlite(..) => "",
        Link::Postgres(_) => "; NOTIFY writ",
    };
    let raise = format!("UPDATE store SET revocation = {revocation}, keys = {keys} WHERE id = 1{hint}");
    on_link!(link, connection => connection.execute(sqlx::raw_sql(AssertSqlSafe(raise))).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn run(link: &mut Link, statement: Sql, rows: String) -> Result<(), Fault> {
    let statement = statement.of(link);
    on_link!(link, connection => sqlx::query(statement).bind(rows).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Writes a batch of events, and commits. After a failure it may have been committed nevertheless: see [`is_kept`].
pub(super) async fn commit(link: &mut Link, batch: &Batch) -> Result<(), Fault> {
    let Batch { writer, seq, sealed_at, events, body, previous, hash, mac } = batch;
    let [seq, sealed_at, events] = [signed(*seq)?, signed(*sealed_at)?, signed(*events)?];
    let [previous, hash, mac] = [previous, hash, mac].map(ToString::to_string);
    let keep = KEEP.of(link);
    on_link!(link, connection => {
        let keep = sqlx::query(keep).bind(writer).bind(seq).bind(sealed_at).bind(events).bind(body);
        keep.bind(previous).bind(hash).bind(mac).bind(sealed_at / 1000).execute(connection).await?;
    });
    if let Link::Postgres(connection) = link {
        connection.execute("COMMIT").await?;
    }
    Ok(())
}

/// Whether a batch was written.
pub(super) async fn is_kept(link: &mut Link, batch: &Batch) -> Result<bool, Fault> {
    let seq = signed(batch.seq)?;
    let hash: Option<String> = on_link!(link, connection => {
        sqlx::query_scalar(KEPT).bind(&batch.writer).bind(seq).fetch_optional(connection).await?
    });
    Ok(hash.is_some_and(|hash| hash == batch.hash.to_string()))
}
