//! What can be written, and what comes of it.

use thiserror::Error;

use super::limit::{NewLimit, NewUse};
use crate::{Level, NewRevocation, NewTask, Revocation, SigningKey, StoreError, Task, TaskState};

/// Longest path of tasks, root and leaf included.
pub const MAX_TASK_DEPTH: usize = 8;

/// One operation. It is done whole, or not at all.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "the large ones are the frequent ones")]
pub enum Write {
    /// Starts a task. Its `parent`, if it has one, must be of the same client, and must not end before it.
    Start {
        /// The task.
        task: NewTask,
        /// What must hold.
        conditions: Conditions,
    },
    /// A token: nothing is written but the events, if the conditions hold.
    Issue(Conditions),
    /// Counts a use of a limited grant, and of all that it was delegated from.
    Use(NewUse),
    /// Ends a task and its descendants. One that ended already is left as it is.
    End {
        /// Which.
        task: String,
        /// Whose it must be; `None`: anyone's.
        client: Option<String>,
        /// How.
        state: Ended,
        /// Who ends it.
        by: String,
        /// Why, for people to read.
        reason: Option<String>,
        /// Unix seconds.
        now: u64,
    },
    /// Revokes something. A revoked task ends, as by [`Write::End`].
    Revoke(NewRevocation),
    /// Takes the revocation of an agent, a subject or a client back.
    Lift {
        /// As what it is revoked.
        level: Level,
        /// Which.
        name: String,
        /// Who takes it back.
        by: String,
        /// Unix seconds.
        now: u64,
    },
    /// Changes signing keys.
    Keys(KeyChange),
    /// Events alone.
    Note,
}

/// What must hold at the commit for a token to be issued, and what begins with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Unix seconds.
    pub now: u64,
    /// From the root to the leaf: all known, active and not expired.
    pub tasks: Vec<String>,
    /// Whose the leaf must be.
    pub client: Option<String>,
    /// None of these is revoked.
    pub names: Vec<(Level, String)>,
    /// The keys sequence that was signed under.
    pub keys: u64,
    /// The epoch that was signed under.
    pub epoch: u64,
    /// Limits that are counted from then on, all of one root task. No id of them is taken, and what they narrow is there.
    pub limits: Vec<NewLimit>,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Completed,
    /// By a revocation.
    Revoked,
}

/// A change of signing keys, made by one replica alone.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// The keys sequence that it was decided by: if it is another by now, nothing is done.
    pub expected: u64,
    /// Keys as they are from now on, in place of those with the same `kid`.
    pub put: Vec<SigningKey>,
    /// Keys that are forgotten, by `kid`.
    pub remove: Vec<String>,
    /// What is revoked with it.
    pub revoke: Vec<NewRevocation>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// [`Write::Start`].
    Task(Task),
    /// [`Write::End`].
    Ended {
        /// The task, as it is now.
        task: Task,
        /// Whether it was active until now.
        changed: bool,
        /// The descendants that ended with it.
        cascaded: Vec<String>,
    },
    /// [`Write::Revoke`].
    Revoked {
        /// As it stands now.
        revocation: Revocation,
        /// Whether it did not stand before.
        is_new: bool,
    },
    /// [`Write::Lift`]: whether there was anything to lift.
    Lifted(bool),
    /// [`Write::Keys`].
    Keys {
        /// The keys sequence from now on.
        sequence: u64,
        /// What was revoked with it, as it stands now.
        revoked: Vec<Revocation>,
    },
    /// [`Write::Use`].
    Used(Used),
    /// [`Write::Issue`] and [`Write::Note`].
    Done,
}

/// What became of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It was counted.
    Counted {
        /// What is left of the whole chain.
        left: u32,
        /// Whether it was counted by this operation, and not by an earlier one of the same decision.
        is_new: bool,
    },
    /// Nothing is left of it, or of something that it was delegated from.
    Exhausted,
}

/// Why an operation was not done.
///
/// Nothing of it was done, with one exception: after a store that did not answer in time, it may have been done, or may
/// be still.
#[derive(Clone, Debug, Error)]
pub enum WriteError {
    /// There is no such task, or it is another client's.
    #[error("there is no such task")]
    UnknownTask,
    /// Likewise, of the parent of a new task.
    #[error("there is no such parent task")]
    UnknownParent,
    /// The task, or one above it, has ended so.
    #[error("the task is {0}")]
    TaskEnded(TaskState),
    /// The id of a new task is taken.
    #[error("there is a task of this id already")]
    TaskExists,
    /// A new task would end after its parent.
    #[error("the task would outlive its parent")]
    OutlivesParent,
    /// A new task would be more than [`MAX_TASK_DEPTH`] deep.
    #[error("tasks are at most {MAX_TASK_DEPTH} deep")]
    TooDeep,
    /// A limit of this id is there already; another id will do.
    #[error("there is a limit of this id already")]
    LimitExists,
    /// No limit of this id is counted: it is of another store, or of long ago.
    #[error("no such limit is counted")]
    UnknownLimit,
    /// Something that the token would name is revoked, as this.
    #[error("the {0} is revoked")]
    Revoked(Level),
    /// A revocation of this kind stands for good.
    #[error("what is revoked as {0} stays revoked")]
    NotLiftable(Level),
    /// The signing keys changed since.
    #[error("the signing keys changed meanwhile")]
    KeysChanged,
    /// The store was restored from a backup since.
    #[error("the store was restored meanwhile")]
    EpochChanged,
    /// A text or a number that databases do not hold.
    #[error("{0} cannot be stored")]
    Unstorable(&'static str),
    /// More waits to be written than can be kept.
    #[error("too much waits to be written")]
    Busy,
    /// The server ends.
    #[error("the server is stopping")]
    Closed,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ended {
    pub(super) fn state(self) -> TaskState {
        match self {
            Self::Completed => TaskState::Completed,
            Self::Revoked => TaskState::Revoked,
        }
    }
}
