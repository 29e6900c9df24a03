//! What can be typed after `writ revoke` and `writ revocations`.

use clap::{Args, ValueEnum};

use crate::cli::remote::OperatorArgs;

#[derive(Args, Debug)]
pub(in crate::cli) struct RevokeArgs {
    /// As what
    #[arg(value_enum)]
    pub(super) level: Level,
    /// Which: a token's id (`jti`), a task's id, the name of an agent, subject or client
    pub(super) name: String,
    /// Why, for people who read the list or the audit log
    #[arg(long, value_name = "TEXT", conflicts_with = "lift")]
    pub(super) reason: Option<String>,
    /// Take a revocation back: of an agent, a subject or a client
    #[arg(long)]
    pub(super) lift: bool,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RevocationsArgs {
    /// Only of these
    #[arg(long, value_enum)]
    pub(super) level: Option<Level>,
    /// Only this one
    #[arg(long)]
    pub(super) name: Option<String>,
    /// What refuses nothing any more, too
    #[arg(long)]
    pub(super) all: bool,
    /// Only those after this one, by its number
    #[arg(long, value_name = "SEQ")]
    pub(super) after: Option<u64>,
    /// The most to list
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What tokens carry that can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Level {
    /// One token, and all that was delegated from it
    #[value(alias = "delegation")]
    Token,
    /// All tokens of a task and of those below it
    Task,
    /// All tokens that an agent holds, or that came through its hands
    Agent,
    /// All tokens for a subject
    Subject,
    /// All tokens that a client asked for or whose task it started
    Client,
    /// All tokens that a key signed: revoked by `writ keys withdraw`, and listed with the others
    Key,
}

impl Level {
    /// As the API has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Task => "task",
            Self::Agent => "agent",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Key => "key",
        }
    }
}
