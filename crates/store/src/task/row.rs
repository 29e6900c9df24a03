//! Tasks as they are stored.

use serde::Serialize;

use super::{Task, TaskState};
use crate::{
    error::Fault,
    number::{maybe, signed, unsigned},
};

/// Columns of a [`Row`], in its order.
macro_rules! columns {
    () => {
        "id, parent, path, client, subject, agent, audience, grants, cnf, max_depth, note, state, \
         created_at, expires_at, ended_at"
    };
}
/// As [`columns!`], without what can be long and decides nothing.
macro_rules! light_columns {
    () => {
        "id, parent, path, client, subject, agent, audience, '' AS grants, NULL AS cnf, max_depth, \
         NULL AS note, state, created_at, expires_at, ended_at"
    };
}
pub(crate) use {columns, light_columns};

pub(crate) type Row = (
    String,
    Option<String>,
    String,
    String,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    Option<String>,
    String,
    i64,
    i64,
    Option<i64>,
);

pub(crate) fn read(row: Row) -> Result<Task, Fault> {
    let (id, parent, path, client, subject, agent, audience, grants, cnf, max_depth, note, ..) = row;
    let (.., state, created_at, expires_at, ended_at) = row;
    let bad = |what: &str| Fault::Content(format!("task `{id}`: {what}"));
    let path = serde_json::from_str(&path).map_err(|_| bad("its path is no list of ids"))?;
    let state = state.parse().map_err(|_| bad("its state is unknown"))?;
    let max_depth = u32::try_from(max_depth).map_err(|_| bad("its depth is out of range"))?;
    let (created_at, expires_at) = (unsigned(created_at)?, unsigned(expires_at)?);
    let ended_at = maybe(ended_at)?;
    Ok(Task {
        id,
        parent,
        path,
        client,
        subject,
        agent,
        audience,
        grants,
        cnf,
        max_depth,
        note,
        state,
        created_at,
        expires_at,
        ended_at,
    })
}

/// A new row, as JSON that the database takes apart.
#[derive(Serialize)]
pub(crate) struct NewRow<'t> {
    id: &'t str,
    parent: Option<&'t str>,
    path: String,
    client: &'t str,
    subject: &'t str,
    agent: &'t str,
    audience: &'t str,
    grants: &'t str,
    cnf: Option<&'t str>,
    max_depth: u32,
    note: Option<&'t str>,
    state: &'static str,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
}

impl<'t> NewRow<'t> {
    pub(crate) fn new(task: &'t Task) -> Result<Self, Fault> {
        let state = if task.state == TaskState::Expired { TaskState::Active } else { task.state };
        Ok(Self {
            id: &task.id,
            parent: task.parent.as_deref(),
            path: serde_json::to_string(&task.path).map_err(|error| Fault::Failed(error.to_string()))?,
            client: &task.client,
            subject: &task.subject,
            agent: &task.agent,
            audience: &task.audience,
            grants: &task.grants,
            cnf: task.cnf.as_deref(),
            max_depth: task.max_depth,
            note: task.note.as_deref(),
            state: state.name(),
            created_at: signed(task.created_at)?,
            expires_at: signed(task.expires_at)?,
            ended_at: task.ended_at.map(signed).transpose()?,
        })
    }
}
