//! Tasks: what they are.

mod read;
pub(crate) mod row;

pub use read::{Part, TaskFilter};

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A unit of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name. Ids order by the time at which they were made.
    pub id: String,
    /// The task that it is a part of; `None` for a root.
    pub parent: Option<String>,
    /// Ids from the root to this one.
    pub path: Vec<String>,
    /// Whose it is.
    pub client: String,
    /// For whom the work is done.
    pub subject: String,
    /// The holder of its first token.
    pub agent: String,
    /// Where its tokens are good for.
    pub audience: String,
    /// JSON list of grants.
    pub grants: String,
    /// JSON of the binding that its tokens have.
    pub cnf: Option<String>,
    /// How often its tokens may be delegated further.
    pub max_depth: u32,
    /// For people to read.
    pub note: Option<String>,
    /// As it is stored: see [`Task::state_at`].
    pub state: TaskState,
    /// Unix seconds, as all instants here.
    pub created_at: u64,
    /// From here on it has ended, if not before.
    pub expires_at: u64,
    /// When it was completed or revoked.
    pub ended_at: Option<u64>,
}

/// A task that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see Task")]
pub struct NewTask {
    pub id: String,
    pub parent: Option<String>,
    pub client: String,
    pub subject: String,
    pub agent: String,
    pub audience: String,
    pub grants: String,
    pub cnf: Option<String>,
    pub max_depth: u32,
    pub note: Option<String>,
    pub created_at: u64,
    pub expires_at: u64,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Its tokens are good.
    Active,
    /// It ended as it should.
    Completed,
    /// It was ended by a revocation, of itself or of a task above.
    Revoked,
    /// It ended by itself. Never stored: an active task that has expired.
    Expired,
}

/// A text that names no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is none of active, completed, revoked, expired")]
pub struct UnknownState;

impl Task {
    /// Its state at the instant `now`, Unix seconds.
    #[must_use]
    pub fn state_at(&self, now: u64) -> TaskState {
        match self.state {
            TaskState::Active if self.expires_at <= now => TaskState::Expired,
            state => state,
        }
    }
}

impl NewTask {
    /// The task as it begins, under the tasks of `above`.
    pub(crate) fn begin(self, above: &[String]) -> Task {
        let Self {
            id,
            parent,
            client,
            subject,
            agent,
            audience,
            grants,
            cnf,
            max_depth,
            note,
            created_at,
            expires_at,
        } = self;
        let path = above.iter().chain([&id]).cloned().collect();
        let (state, ended_at) = (TaskState::Active, None);
        Task {
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
        }
    }
}

impl TaskState {
    /// Its name, as it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for TaskState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let all = [Self::Active, Self::Completed, Self::Revoked, Self::Expired];
        all.into_iter().find(|state| state.name() == text).ok_or(UnknownState)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
