//! Why nothing was done.

use store::{Level, StoreError, TaskState, WriteError};
use thiserror::Error;
use verdict::DenialCode;

use crate::{
    issue::{IssueError, Uncovered},
    telemetry::quiet::{QUIET, Quiet},
};

/// A request that is refused. The message is for the client, about its own request only.
#[derive(Debug, Error)]
pub enum TaskError {
    /// What no token may say, or this client may not have.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// No such task of this client.
    #[error("there is no such task of this client")]
    UnknownTask,
    /// No such task of anyone, for an operator.
    #[error("there is no such task")]
    NoTask,
    /// Likewise, of a parent.
    #[error("parent: there is no such task of this client")]
    UnknownParent,
    /// It has ended, or one above it has.
    #[error("the task has ended: it, or one above it, is {0}")]
    TaskEnded(TaskState),
    /// Likewise, of a parent.
    #[error("parent: has ended: it, or one above it, is {0}")]
    ParentEnded(TaskState),
    /// A grant that what it comes from does not have.
    #[error("grants[{index}]: not covered by any grant of the {of}{why}")]
    Wider {
        /// Which grant.
        index: usize,
        /// Of what it comes from.
        of: &'static str,
        /// What of it.
        why: Uncovered,
    },
    /// An audience that what it comes from does not have.
    #[error("audience: not that of the {0}")]
    AudienceWider(&'static str),
    /// A task that would go on after its parent.
    #[error("expires_in: the task would outlive its parent")]
    OutlivesParent,
    /// Tasks below tasks.
    #[error("parent: tasks are at most {} deep", store::MAX_TASK_DEPTH)]
    TasksTooDeep,
    /// Delegations of delegations.
    #[error("the token may not be delegated onwards: {depth} would be over its depth of {max}")]
    TooDeep {
        /// What the new token's would be.
        depth: u32,
        /// The most.
        max: u32,
    },
    /// The policy does not let this client exchange such a token for this agent.
    #[error(
        "agent: no entry of the client's `may_delegate` lets `{holder}`, who holds the token of a task of the client \
         `{starter}`, delegate to `{agent}`"
    )]
    MayNotDelegate {
        /// Who holds the token, as it says.
        holder: String,
        /// Whose task it is of, as it says.
        starter: String,
        /// Who was to hold the new one.
        agent: String,
    },
    /// A bound token of other clients.
    #[error(
        "subject_token: is bound, and was issued to another client: `{client}`, for a task of `{starter}`; they alone \
         may exchange it"
    )]
    BoundToAnother {
        /// Whom it was issued to, as it says.
        client: String,
        /// Whose task it is of, as it says.
        starter: String,
    },
    /// No task token that counts now.
    #[error("subject_token: {}", .0.as_str())]
    SubjectToken(DenialCode),
    /// Something that the token would name is revoked.
    #[error("the {0} is revoked")]
    Revoked(Level),
    /// A member that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// What it rested on changed meanwhile.
    #[error("what the token rests on changed meanwhile: try again")]
    Changed,
    /// So much is revoked that tasks which go on need the room that is left.
    #[error("no task can be started now: too many tasks ended, or were revoked, a moment ago")]
    NoRoom,
    /// The store does not take it. The cause is in the log.
    #[error("the store cannot be written now: try again")]
    Unavailable,
    /// The server's fault. The cause is in the log.
    #[error("the request could not be served")]
    Internal,
}

/// What kind of refusal it is: the same for all ways to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for makes no sense. HTTP 400.
    Invalid,
    /// The policy, or a revocation, says no. HTTP 403.
    Forbidden,
    /// HTTP 404.
    NotFound,
    /// It was there and has ended. HTTP 409.
    Ended,
    /// Nothing was done; the same request may pass soon. HTTP 503.
    Unavailable,
    /// Nothing was done; the same request may pass at once. HTTP 503.
    Changed,
    /// HTTP 500.
    Internal,
}

impl TaskError {
    /// What kind of refusal it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Issue(error) => match error {
                IssueError::OverCeiling { .. } | IssueError::Agent(_) => Kind::Forbidden,
                IssueError::Internal => Kind::Internal,
                _ => Kind::Invalid,
            },
            Self::Wider { .. }
            | Self::AudienceWider(_)
            | Self::TooDeep { .. }
            | Self::MayNotDelegate { .. }
            | Self::BoundToAnother { .. }
            | Self::Revoked(_) => Kind::Forbidden,
            Self::UnknownTask | Self::NoTask | Self::UnknownParent => Kind::NotFound,
            Self::TaskEnded(_) | Self::ParentEnded(_) => Kind::Ended,
            Self::OutlivesParent | Self::TasksTooDeep | Self::SubjectToken(_) | Self::Invalid(_) => {
                Kind::Invalid
            }
            Self::Changed => Kind::Changed,
            Self::Unavailable | Self::NoRoom => Kind::Unavailable,
            Self::Internal => Kind::Internal,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Issue(error) => match error {
                IssueError::OverCeiling { .. } | IssueError::Agent(_) => "not_allowed",
                IssueError::Lifetime { .. } => "lifetime_over_cap",
                IssueError::Grants(_) | IssueError::Duplicate { .. } | IssueError::TooLarge(_) => {
                    "invalid_grants"
                }
                IssueError::AudienceMissing(_)
                | IssueError::AudienceUnknown(_)
                | IssueError::NoLifetime
                | IssueError::Name { .. }
                | IssueError::SpiffeId { .. }
                | IssueError::Binding(_) => "invalid_request",
                IssueError::Internal => "server_error",
            },
            Self::UnknownTask | Self::NoTask => "unknown_task",
            Self::UnknownParent => "unknown_parent",
            Self::TaskEnded(_) => "task_ended",
            Self::ParentEnded(_) => "parent_ended",
            Self::Wider { .. } | Self::AudienceWider(_) => "wider_than_parent",
            Self::OutlivesParent => "lifetime_over_cap",
            Self::TasksTooDeep | Self::TooDeep { .. } => "too_deep",
            Self::MayNotDelegate { .. } => "not_allowed",
            Self::BoundToAnother { .. } => "sender_mismatch",
            Self::SubjectToken(_) => "invalid_subject_token",
            Self::Revoked(_) => "revoked",
            Self::Invalid(_) => "invalid_request",
            Self::Changed | Self::Unavailable | Self::NoRoom => "temporarily_unavailable",
            Self::Internal => "server_error",
        }
    }
}

/// What the task of a [`WriteError`] is to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Task,
    Parent,
}

impl TaskError {
    pub(super) fn of_write(error: WriteError, on: On) -> Self {
        match (error, on) {
            (WriteError::UnknownTask, On::Task) => Self::UnknownTask,
            (WriteError::TaskEnded(state), On::Task) => Self::TaskEnded(state),
            (WriteError::UnknownTask | WriteError::UnknownParent, _) => Self::UnknownParent,
            (WriteError::TaskEnded(state), On::Parent) => Self::ParentEnded(state),
            (WriteError::OutlivesParent, _) => Self::OutlivesParent,
            (WriteError::TooDeep, _) => Self::TasksTooDeep,
            (WriteError::Revoked(level), _) => Self::Revoked(level),
            (error @ WriteError::Unstorable(_), _) => Self::Invalid(error.to_string()),
            // Another id of a grant, and what it narrows is of another store.
            (
                WriteError::KeysChanged
                | WriteError::EpochChanged
                | WriteError::LimitExists
                | WriteError::UnknownLimit,
                _,
            ) => Self::Changed,
            (error @ (WriteError::Busy | WriteError::Closed | WriteError::Store(_)), _) => {
                note(&error);
                Self::Unavailable
            }
            (error @ (WriteError::TaskExists | WriteError::NotLiftable(_)), _) => {
                tracing::error!(%error, "a task could not be written");
                Self::Internal
            }
        }
    }
}

impl From<WriteError> for TaskError {
    fn from(error: WriteError) -> Self {
        Self::of_write(error, On::Task)
    }
}

impl From<StoreError> for TaskError {
    fn from(error: StoreError) -> Self {
        note(&error);
        Self::Unavailable
    }
}

/// Clients try again and again while a store is away.
fn note(error: &dyn std::fmt::Display) {
    static SAID: Quiet = Quiet::new();
    if SAID.is_over() {
        tracing::warn!(%error, "the store did not serve a client; others within {QUIET} s are not logged");
    }
}
