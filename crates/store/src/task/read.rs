//! Tasks, read.

use super::{
    Task, TaskState,
    row::{Row, columns, read},
};
use crate::{Store, error::StoreError, number::unsigned, query::Query};

/// Which tasks. What is `None` is any.
#[derive(Clone, Debug, Default)]
pub struct TaskFilter {
    /// Whose.
    pub client: Option<String>,
    /// In this state at `now`.
    pub state: Option<TaskState>,
    /// The children of this task.
    pub parent: Option<String>,
    /// This root and all under it.
    pub root: Option<String>,
    /// Of this first holder.
    pub agent: Option<String>,
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// Unix seconds.
    pub now: u64,
}

/// What a name is to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Who started it.
    Client,
    /// For whom.
    Subject,
    /// Its first holder.
    Agent,
}

impl Store {
    /// One task.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn task(&self, id: &str) -> Result<Option<Task>, StoreError> {
        let mut query = Query::new(concat!("SELECT ", columns!(), " FROM tasks"));
        query.text("id = ?", Some(id.to_owned()));
        Ok(self.rows::<Row, _>(query.ending("id", 1), read).await?.pop())
    }

    /// Tasks, in the order of their ids.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>, StoreError> {
        let TaskFilter { client, state, parent, root, agent, after, limit, now } = filter.clone();
        let mut query = Query::new(concat!("SELECT ", columns!(), " FROM tasks"));
        query.text("client = ?", client);
        query.text("parent = ?", parent);
        query.text("agent = ?", agent);
        query.text("id > ?", after);
        if let Some(root) = root {
            // Its path begins with it, in JSON.
            let first = serde_json::Value::from(root);
            query.text("substr(path, 1, length(?)) = ?", Some(format!("[{first}")));
        }
        if let Some(state) = state {
            let stored = if state == TaskState::Expired { TaskState::Active } else { state };
            query.text("state = ?", Some(stored.name().to_owned()));
            query.number("expires_at > ?", Some(now).filter(|_| state == TaskState::Active));
            query.number("expires_at <= ?", Some(now).filter(|_| state == TaskState::Expired));
        }
        self.rows::<Row, _>(query.ending("id", limit), read).await
    }

    /// Whether any task names `name` as its `part`. Looks at all tasks where it is no client.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn is_named_by_tasks(&self, part: Part, name: &str) -> Result<bool, StoreError> {
        let condition = match part {
            Part::Client => "client = ?",
            Part::Subject => "subject = ?",
            Part::Agent => "agent = ?",
        };
        let mut query = Query::new("SELECT 1 FROM tasks");
        query.text(condition, Some(name.to_owned()));
        let found = self.rows::<(i32,), _>(query.ending("1", 1), |(one,)| Ok(one)).await?;
        Ok(!found.is_empty())
    }

    /// How many tasks are active at `now`, Unix seconds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn active_tasks(&self, now: u64) -> Result<u64, StoreError> {
        let mut query = Query::new("SELECT COUNT(*) FROM tasks");
        query.number("expires_at > ?", Some(now));
        query.text("state = ?", Some(TaskState::Active.name().to_owned()));
        let counted = self.rows::<(i64,), _>(query.ending("1", 1), |(count,)| unsigned(count)).await?;
        Ok(counted.into_iter().sum())
    }

    /// The latest expiry of any task, Unix seconds: no token of a task is valid after it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn latest_expiry(&self) -> Result<Option<u64>, StoreError> {
        let query = Query::new("SELECT expires_at FROM tasks").ending("expires_at DESC", 1);
        Ok(self.rows::<(i64,), _>(query, |(at,)| unsigned(at)).await?.pop())
    }
}
