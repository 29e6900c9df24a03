//! Rows of limits, and of uses that were counted: read before a batch, written after it.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    super::{load::json, save::run},
    Change, Key, Limit, Limits, NewLimit, NewUse, chain,
};
use crate::{
    error::Fault,
    link::{Link, Sql, on_link},
    number::{signed, unsigned},
};

/// What operations need to know of limits.
#[derive(Default)]
pub(in crate::ledger) struct Wanted<'w> {
    limits: HashSet<(&'w str, &'w str)>,
    decisions: HashSet<&'w str>,
}

impl<'w> Wanted<'w> {
    pub(in crate::ledger) fn begun(&mut self, limit: &'w NewLimit) {
        self.chain(&limit.root, &limit.id);
    }

    pub(in crate::ledger) fn used(&mut self, used: &'w NewUse) {
        self.chain(&used.root, &used.id);
        self.decisions.insert(&used.decision);
    }

    fn chain(&mut self, root: &'w str, id: &'w str) {
        self.limits.extend(chain(id).map(|id| (root, id)));
    }
}

/// A list of pairs.
const KNOWN: Sql = Sql {
    sqlite: "SELECT l.task, l.id, l.uses, l.used, l.expires_at FROM json_each($1) w CROSS JOIN limits l \
         ON l.task = w.value ->> '$[0]' AND l.id = w.value ->> '$[1]'",
    postgres: "SELECT l.task, l.id, l.uses, l.used, l.expires_at FROM json_array_elements($1::json) AS w(value) \
         CROSS JOIN LATERAL (SELECT * FROM limits WHERE task = w.value ->> 0 AND id = w.value ->> 1 OFFSET 0) l",
};

const ANSWERS: Sql = Sql {
    sqlite: "SELECT decision, remaining FROM uses WHERE decision IN (SELECT value FROM json_each($1))",
    postgres: "SELECT decision, remaining FROM uses \
         WHERE decision = ANY(ARRAY(SELECT json_array_elements_text($1::json)))",
};

/// Reads what is `wanted`.
pub(in crate::ledger) async fn load(
    link: &mut Link,
    limits: &mut Limits,
    wanted: Wanted<'_>,
) -> Result<(), Fault> {
    if !wanted.limits.is_empty() {
        let (query, pairs) = (KNOWN.of(link), json(&wanted.limits)?);
        let rows: Vec<(String, String, i64, i64, i64)> =
            on_link!(link, connection => sqlx::query_as(query).bind(pairs).fetch_all(connection).await?);
        for (root, id, uses, used, expires_at) in rows {
            let (uses, used, expires_at) = (narrow(uses)?, narrow(used)?, unsigned(expires_at)?);
            limits.known.insert((root, id), Limit { uses, used, expires_at, change: Change::None });
        }
    }
    if !wanted.decisions.is_empty() {
        let (query, decisions) = (ANSWERS.of(link), json(&wanted.decisions)?);
        let rows: Vec<(String, i64)> =
            on_link!(link, connection => sqlx::query_as(query).bind(decisions).fetch_all(connection).await?);
        for (decision, left) in rows {
            limits.answers.insert(decision, narrow(left)?);
        }
    }
    Ok(())
}

fn narrow(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::Content(format!("{number} uses of a grant")))
}

const BEGIN: Sql = Sql {
    sqlite: "INSERT INTO limits (task, id, uses, used, expires_at) SELECT value ->> 'task', value ->> 'id', \
         value ->> 'uses', value ->> 'used', value ->> 'expires_at' FROM json_each($1)",
    postgres: "INSERT INTO limits (task, id, uses, used, expires_at) SELECT task, id, uses, used, expires_at \
         FROM json_populate_recordset(NULL::limits, $1::json)",
};

const COUNT: Sql = Sql {
    sqlite: "UPDATE limits SET used = u.value ->> 'used' FROM json_each($1) u \
         WHERE limits.task = u.value ->> 'task' AND limits.id = u.value ->> 'id'",
    postgres: "UPDATE limits SET used = u.used FROM json_populate_recordset(NULL::limits, $1::json) u \
         WHERE limits.task = u.task AND limits.id = u.id",
};

const ANSWER: Sql = Sql {
    sqlite: "INSERT INTO uses (decision, remaining, used_at) SELECT value ->> 'decision', value ->> 'remaining', \
         value ->> 'used_at' FROM json_each($1)",
    postgres: "INSERT INTO uses (decision, remaining, used_at) SELECT decision, remaining, used_at \
         FROM json_populate_recordset(NULL::uses, $1::json)",
};

#[derive(Serialize)]
struct LimitRow<'l> {
    task: &'l str,
    id: &'l str,
    uses: u32,
    used: u32,
    expires_at: i64,
}

#[derive(Serialize)]
struct UseRow<'l> {
    decision: &'l str,
    remaining: u32,
    used_at: i64,
}

/// Writes what changed.
pub(in crate::ledger) async fn save(link: &mut Link, limits: &Limits) -> Result<(), Fault> {
    for (change, statement) in [(Change::Begun, BEGIN), (Change::Used, COUNT)] {
        let rows: Vec<_> = limits.changed(change).map(LimitRow::new).collect::<Result<_, _>>()?;
        if !rows.is_empty() {
            run(link, statement, json(&rows)?).await?;
        }
    }
    let rows = limits.counted.iter().map(|(decision, at)| {
        let remaining = limits.answers.get(decision).copied().unwrap_or_default();
        Ok(UseRow { decision, remaining, used_at: signed(*at)? })
    });
    let rows: Vec<_> = rows.collect::<Result<_, Fault>>()?;
    if !rows.is_empty() {
        run(link, ANSWER, json(&rows)?).await?;
    }
    Ok(())
}

impl<'l> LimitRow<'l> {
    fn new(((task, id), limit): (&'l Key, &'l Limit)) -> Result<Self, Fault> {
        let &Limit { uses, used, expires_at, change: _ } = limit;
        Ok(Self { task, id, uses, used, expires_at: signed(expires_at)? })
    }
}
