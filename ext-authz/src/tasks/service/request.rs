//! What a client asks for.

use std::fmt;

use store::TaskState;
use verdict::{grant::Grant, token::claims::Confirmation};

/// Longest note, bytes.
pub const MAX_NOTE: usize = 512;
/// Most tasks of one page.
pub const MAX_PAGE: u32 = 200;

/// A task, and its first token.
#[derive(Clone, Debug, Default)]
pub struct StartTask {
    /// A task of the same client that this is a part of.
    pub parent: Option<String>,
    /// What its tokens may allow. With a parent, each is covered by one of the parent's.
    pub grants: Vec<Grant>,
    /// For whom; the client itself where nobody is named.
    pub subject: Option<String>,
    /// Who shall present the token; the subject where nobody is named.
    pub agent: Option<String>,
    /// Lifetime of task and token, seconds; the server's default, or the rest of the parent, where none is given.
    pub expires_in: Option<u64>,
    /// May be left out where the policy has only one. The parent's, with a parent.
    pub audience: Option<String>,
    /// What the presenters of its tokens shall prove. The parent's, where a bound parent is given and nothing else.
    pub cnf: Option<Confirmation>,
    /// For people to read; at most [`MAX_NOTE`] bytes.
    pub note: Option<String>,
}

/// A further token of a task.
#[derive(Clone, Debug, Default)]
pub struct IssueToken {
    /// What it shall allow, each covered by one of the task's; all of the task's where nothing is said.
    pub grants: Option<Vec<Grant>>,
    /// Who shall present it; the task's agent where nobody is named.
    pub agent: Option<String>,
    /// Lifetime, seconds, within the task's; the server's default, or the rest of the task, where none is given.
    pub expires_in: Option<u64>,
    /// The task's, if any is named.
    pub audience: Option<String>,
    /// What the presenter shall prove; what the task says where nothing is said.
    pub cnf: Option<Confirmation>,
}

/// A token for a delegate, out of a token that somebody holds (RFC 8693).
#[derive(Clone)]
pub struct ExchangeToken {
    /// The task token that is exchanged. It stays good.
    pub subject_token: String,
    /// What the new one shall allow, each covered by one of the token's; all of it where nothing is said.
    pub grants: Option<Vec<Grant>>,
    /// Who shall present it.
    pub agent: String,
    /// Lifetime, seconds, within the token's; the server's default, or the rest of the token, where none is given.
    pub expires_in: Option<u64>,
    /// One of the token's; all of them where none is named.
    pub audience: Option<String>,
    /// What the presenter shall prove; what the token says where nothing is said.
    pub cnf: Option<Confirmation>,
}

impl fmt::Debug for ExchangeToken {
    /// Without the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ExchangeToken").field("agent", &self.agent).finish_non_exhaustive()
    }
}

/// Which tasks. What is `None` is any.
#[derive(Clone, Debug, Default)]
pub struct ListTasks {
    /// In this state now.
    pub state: Option<TaskState>,
    /// Children of this task.
    pub parent: Option<String>,
    /// Of this agent.
    pub agent: Option<String>,
    /// Started at this Unix second or later.
    pub since: Option<u64>,
    /// Those after this one: where the page before ended.
    pub after: Option<String>,
    /// At most so many, 1 to [`MAX_PAGE`]; 100 where nothing is said.
    pub limit: Option<u32>,
}
