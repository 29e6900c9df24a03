//! Reading what a batch needs: a few statements, however many operations it has.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::FromRow as _;

use super::{
    Conditions, KeyChange, NewUse, Write,
    limit::{self, Wanted},
    memory::Memory,
    view::View,
};
use crate::{
    Head, Level, NewRevocation, Task,
    error::Fault,
    head::{self, head, head_columns},
    link::{Link, Sql, on_link},
    number::signed,
    revocation,
    task::row::{self as task, columns, light_columns},
};

/// What operations name, and is not remembered.
#[derive(Default)]
struct Needs<'w> {
    tasks: HashSet<&'w str>,
    /// Tasks with everything above them.
    paths: HashSet<&'w str>,
    /// Tasks with everything under them, which are shown.
    trees: HashSet<&'w str>,
    names: HashSet<(Level, &'w str)>,
    limits: Wanted<'w>,
}

impl<'w> Needs<'w> {
    fn of(writes: impl Iterator<Item = &'w Write>, memory: &Memory) -> Self {
        let mut needs = Self::default();
        for write in writes {
            match write {
                Write::Start { task, conditions } => {
                    needs.conditions(conditions, memory);
                    needs.tasks.insert(&task.id);
                    needs.paths.extend(task.parent.as_deref());
                }
                Write::Issue(conditions) => needs.conditions(conditions, memory),
                Write::Use(used) => {
                    let NewUse { decision: _, root: _, id: _, now: _, tasks, names } = used;
                    needs.standing(tasks, names, memory);
                    needs.limits.used(used);
                }
                Write::End { task, .. } => needs.tree(task),
                Write::Revoke(revocation) => needs.revocation(revocation),
                Write::Lift { level, name, .. } => {
                    needs.names.insert((*level, name));
                }
                Write::Keys(KeyChange { expected: _, put: _, remove: _, revoke }) => {
                    revoke.iter().for_each(|revocation| needs.revocation(revocation));
                }
                Write::Note => {}
            }
        }
        let paths = needs.paths.iter().copied().filter(|id| memory.task(id).is_none());
        needs.tasks.extend(paths);
        needs
    }

    fn conditions(&mut self, conditions: &'w Conditions, memory: &Memory) {
        let Conditions { now: _, tasks, client: _, names, keys: _, epoch: _, limits } = conditions;
        self.standing(tasks, names, memory);
        limits.iter().for_each(|limit| self.limits.begun(limit));
    }

    fn standing(&mut self, tasks: &'w [String], names: &'w [(Level, String)], memory: &Memory) {
        self.tasks.extend(tasks.iter().map(String::as_str).filter(|id| memory.task(id).is_none()));
        if let Some(leaf) = tasks.last()
            && memory.task(leaf).is_none_or(|known| known.path != tasks)
        {
            self.paths.insert(leaf);
        }
        let unclear = names.iter().filter(|(level, name)| !memory.is_clear(*level, name));
        self.names.extend(unclear.map(|(level, name)| (*level, name.as_str())));
    }

    fn revocation(&mut self, revocation: &'w NewRevocation) {
        if revocation.level == Level::Task {
            self.tree(&revocation.name);
        }
        self.names.insert((revocation.level, &revocation.name));
    }

    fn tree(&mut self, task: &'w str) {
        self.trees.insert(task);
        self.names.insert((Level::Task, task));
    }
}

/// Names that go into a query as one JSON list: a statement is the same for any number of them.
const TASKS: Sql = Sql {
    sqlite: concat!("SELECT ", light_columns!(), " FROM tasks WHERE id IN (SELECT value FROM json_each($1))"),
    postgres: concat!(
        "SELECT ",
        light_columns!(),
        " FROM tasks WHERE id = ANY(ARRAY(SELECT json_array_elements_text($1::json)))"
    ),
};

const SHOWN_TASKS: Sql = Sql {
    sqlite: concat!("SELECT ", columns!(), " FROM tasks WHERE id IN (SELECT value FROM json_each($1))"),
    postgres: concat!(
        "SELECT ",
        columns!(),
        " FROM tasks WHERE id = ANY(ARRAY(SELECT json_array_elements_text($1::json)))"
    ),
};

/// `UNION` ends even where rows made a circle.
const DESCENDANTS: Sql = Sql {
    sqlite: concat!(
        "WITH RECURSIVE under(child) AS (SELECT id FROM tasks WHERE parent IN (SELECT value FROM json_each($1)) \
         UNION SELECT id FROM under CROSS JOIN tasks ON parent = child) SELECT ",
        light_columns!(),
        " FROM under CROSS JOIN tasks ON id = child"
    ),
    postgres: concat!(
        "WITH RECURSIVE under(child) AS (SELECT id FROM tasks WHERE parent = \
         ANY(ARRAY(SELECT json_array_elements_text($1::json))) \
         UNION SELECT id FROM under JOIN tasks ON parent = child) SELECT ",
        light_columns!(),
        " FROM under JOIN tasks ON id = child"
    ),
};

/// A list of pairs.
const REVOKED: Sql = Sql {
    sqlite: concat!(
        "SELECT ",
        revocation::row::columns!("r."),
        " FROM json_each($1) w CROSS JOIN revocations r \
         ON r.level = w.value ->> '$[0]' AND r.name = w.value ->> '$[1]' AND r.lifted_seq IS NULL"
    ),
    postgres: concat!(
        "SELECT ",
        revocation::row::columns!("r."),
        " FROM json_array_elements($1::json) AS w(value) CROSS JOIN LATERAL ( \
         SELECT * FROM revocations WHERE level = w.value ->> 0 AND name = w.value ->> 1 \
         AND lifted_seq IS NULL OFFSET 0) r"
    ),
};

/// Begins a transaction and locks the store's row, in one exchange: from here on nobody else writes.
pub(crate) async fn begin(link: &mut Link) -> Result<Head, Fault> {
    // Each statement after the lock sees what was committed before it was had.
    const LOCKED: &str = concat!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; ",
        "SELECT ",
        head_columns!(),
        " FROM store WHERE id = 1 FOR UPDATE"
    );
    let row: head::Row = match link {
        Link::Sqlite(connection, _) => {
            const LOCKED: &str = concat!("BEGIN IMMEDIATE; SELECT ", head_columns!(), " FROM store");
            sqlx::query_as(LOCKED).fetch_one(connection).await?
        }
        // A prepared statement would be one alone.
        Link::Postgres(connection) => {
            let row = sqlx::raw_sql(LOCKED).fetch_one(&mut **connection).await?;
            head::Row::from_row(&row)?
        }
    };
    head(row)
}

/// Forgets what changed since it was remembered.
pub(super) async fn catch_up(link: &mut Link, memory: &mut Memory, head: &Head) -> Result<(), Fault> {
    const CHANGED: &str = "SELECT level, name FROM revocations WHERE seq > $1 OR lifted_seq > $1 LIMIT $2";
    const MOST: i64 = 1000;
    let known = memory.place(head);
    if known != Some(head.revocation) {
        let changed: Option<Vec<(String, String)>> = match known {
            None => None,
            Some(place) => {
                let place = signed(place)?;
                let rows: Vec<(String, String)> = on_link!(link, connection => {
                    sqlx::query_as(CHANGED).bind(place).bind(MOST).fetch_all(connection).await?
                });
                Some(rows).filter(|rows| rows.len() < 1000)
            }
        };
        match changed {
            None => memory.clear(),
            Some(changed) => {
                for (level, name) in changed {
                    let level = level.parse().map_err(|_| Fault::Content(format!("level `{level}`")))?;
                    memory.forget_name(level, &name);
                }
            }
        }
    }
    memory.is_as_of(head);
    Ok(())
}

/// Reads what `writes` need into `view`.
pub(super) async fn load<'w>(
    link: &mut Link,
    view: &mut View,
    writes: impl Iterator<Item = &'w Write>,
) -> Result<(), Fault> {
    let Needs { tasks, paths, trees, names, limits } = Needs::of(writes, &view.memory);
    if !trees.is_empty() {
        for task in read_tasks(link, DESCENDANTS, &trees).await? {
            view.know(task);
        }
        for task in read_tasks(link, SHOWN_TASKS, &trees).await? {
            view.know(task);
        }
    }
    let tasks: Vec<&str> = tasks.into_iter().filter(|id| view.task(id).is_none()).collect();
    learn(link, view, &tasks).await?;
    let above = paths.into_iter().filter_map(|id| view.task(id)).flat_map(|task| &task.path);
    let above: HashSet<String> = above.filter(|id| view.task(id).is_none()).cloned().collect();
    learn(link, view, &above.into_iter().collect::<Vec<_>>()).await?;
    limit::load(link, &mut view.limits, limits).await?;
    if !names.is_empty() {
        let pairs: Vec<(&str, &str)> = names.iter().map(|(level, name)| (level.name(), *name)).collect();
        let (query, pairs) = (REVOKED.of(link), json(&pairs)?);
        let rows: Vec<revocation::row::Row> =
            on_link!(link, connection => sqlx::query_as(query).bind(pairs).fetch_all(connection).await?);
        for row in rows {
            view.know_revoked(revocation::row::read(row)?);
        }
        for (level, name) in names {
            if !view.knows_revoked(level, name) {
                view.memory.keep_name(level, name.to_owned());
            }
        }
    }
    Ok(())
}

/// Reads tasks, and remembers those that are active.
async fn learn(link: &mut Link, view: &mut View, ids: &[impl Serialize]) -> Result<(), Fault> {
    if !ids.is_empty() {
        for task in read_tasks(link, TASKS, ids).await? {
            view.memory.keep_task(&task);
            view.know(task);
        }
    }
    Ok(())
}

async fn read_tasks(link: &mut Link, query: Sql, ids: impl Serialize) -> Result<Vec<Task>, Fault> {
    let (query, ids) = (query.of(link), json(&ids)?);
    let rows: Vec<task::Row> =
        on_link!(link, connection => sqlx::query_as(query).bind(ids).fetch_all(connection).await?);
    rows.into_iter().map(task::read).collect()
}

pub(crate) fn json(values: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(values).map_err(|error| Fault::Failed(error.to_string()))
}
