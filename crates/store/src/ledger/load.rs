//! Reading what a batch needs: a few statements, however many operations it has.

use std::collections::{BTreeSet, HashMap};

use super::{Conditions, KeyChange, Write, view::View};
use crate::{
    Level, NewRevocation, Task,
    error::Fault,
    head::{self, HEAD, head},
    link::{Link, Sql, on_link},
    revocation,
    task::row::{self as task, columns, light_columns},
};

/// What operations name.
#[derive(Default)]
struct Needs<'w> {
    tasks: BTreeSet<&'w str>,
    /// Tasks whose path is looked at.
    parents: BTreeSet<&'w str>,
    /// Tasks whose descendants count too, and that are shown.
    trees: BTreeSet<&'w str>,
    names: BTreeSet<(Level, &'w str)>,
}

impl<'w> Needs<'w> {
    fn of(writes: impl Iterator<Item = &'w Write>) -> Self {
        let mut needs = Self::default();
        for write in writes {
            match write {
                Write::Start { task, conditions } => {
                    needs.conditions(conditions);
                    needs.tasks.insert(&task.id);
                    needs.tasks.extend(task.parent.as_deref());
                    needs.parents.extend(task.parent.as_deref());
                }
                Write::Issue(conditions) => needs.conditions(conditions),
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
        needs
    }

    fn conditions(&mut self, conditions: &'w Conditions) {
        self.tasks.extend(conditions.tasks.iter().map(String::as_str));
        self.names.extend(conditions.names.iter().map(|(level, name)| (*level, name.as_str())));
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

/// Begins a transaction and locks the store's row: from here on nobody else writes.
pub(super) async fn begin(link: &mut Link) -> Result<View, Fault> {
    const LOCK: Sql = Sql { sqlite: "BEGIN IMMEDIATE", postgres: "BEGIN ISOLATION LEVEL READ COMMITTED" };
    // Each statement after it sees what was committed before the lock was had.
    const LOCKED: Sql = Sql {
        sqlite: HEAD,
        postgres: "SELECT epoch, min_iat, latest_generation, revocation, keys FROM store WHERE id = 1 FOR UPDATE",
    };
    let (lock, locked) = (LOCK.of(link), LOCKED.of(link));
    let row: head::Row = on_link!(link, connection => {
        sqlx::Executor::execute(&mut *connection, lock).await?;
        sqlx::query_as(locked).fetch_one(&mut *connection).await?
    });
    Ok(View::new(head(row)?))
}

/// Reads what `writes` need into `view`.
pub(super) async fn load<'w>(
    link: &mut Link,
    view: &mut View,
    writes: impl Iterator<Item = &'w Write>,
) -> Result<(), Fault> {
    let Needs { tasks, parents, trees, names } = Needs::of(writes);
    let mut known: HashMap<String, Task> = HashMap::new();
    if !trees.is_empty() {
        known.extend(read_tasks(link, DESCENDANTS, &trees).await?);
        known.extend(read_tasks(link, SHOWN_TASKS, &trees).await?);
    }
    let wanted: BTreeSet<&str> = tasks.into_iter().filter(|id| !known.contains_key(*id)).collect();
    if !wanted.is_empty() {
        known.extend(read_tasks(link, TASKS, &wanted).await?);
    }
    let above = parents.into_iter().filter_map(|id| known.get(id)).flat_map(|task| &task.path);
    let above: BTreeSet<String> = above.filter(|id| !known.contains_key(*id)).cloned().collect();
    if !above.is_empty() {
        known.extend(read_tasks(link, TASKS, &above).await?);
    }
    known.into_values().for_each(|task| view.know(task));
    if !names.is_empty() {
        let names: Vec<(&str, &str)> = names.into_iter().map(|(level, name)| (level.name(), name)).collect();
        let (query, names) = (REVOKED.of(link), json(&names)?);
        let rows: Vec<revocation::row::Row> =
            on_link!(link, connection => sqlx::query_as(query).bind(names).fetch_all(connection).await?);
        for row in rows {
            view.know_revoked(revocation::row::read(row)?);
        }
    }
    Ok(())
}

async fn read_tasks<N: serde::Serialize>(
    link: &mut Link,
    query: Sql,
    names: &BTreeSet<N>,
) -> Result<Vec<(String, Task)>, Fault> {
    let (query, names) = (query.of(link), json(names)?);
    let rows: Vec<task::Row> =
        on_link!(link, connection => sqlx::query_as(query).bind(names).fetch_all(connection).await?);
    let read = |row| task::read(row).map(|task| (task.id.clone(), task));
    rows.into_iter().map(read).collect()
}

pub(crate) fn json(values: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(values).map_err(|error| Fault::Failed(error.to_string()))
}
