//! What can be typed after `writ task`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{
    grants::{self, GrantArgs},
    instant,
    remote::{ClientArgs, EitherArgs},
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TaskCommand {
    /// Start a task, and get its first token.
    #[command(after_help = "\
Examples:
  export WRIT_CLIENT_SECRET=writ_...
  writ task start --client log-janitor --agent spiffe://example.org/agent/janitor-1 --expires-in 15m \\
    --action s3:GetObject --resource 's3://my-bucket/logs/2026-05/**' --note 'rotate the logs of May'
  writ task start --client log-janitor --grants grants.json --parent \"$TASK\" --json | jq -r .access_token

A task with a parent allows no more than its parent, and ends with it. The secret comes from --secret-file or the variable
WRIT_CLIENT_SECRET, never from the command line.
Exit codes: 0 started, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Start(Box<StartArgs>),
    /// End a task and all tasks below it: their tokens are refused everywhere from then on.
    #[command(after_help = "\
Examples:
  writ task complete --client log-janitor 019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e

For the client whose task it is; operators end any task by `writ revoke task`. A task that has ended before stays as it
is, and that is no failure. What is acknowledged is committed.
Exit codes: 0 ended, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Complete(Box<CompleteArgs>),
    /// List tasks, in the order of their starts.
    #[command(after_help = "\
Examples:
  writ task list --client log-janitor --state active
  writ task list --agent spiffe://example.org/agent/janitor-1        # as an operator, of all clients
  writ task list --parent \"$TASK\" --json | jq -r '.tasks[].id'

With --client its own tasks, with its secret as `writ task start` has it. Without, those of all clients, for operators:
over the socket of the server that runs here, or with --server and an operator's secret.
Exit codes: 0 listed, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    List(Box<ListArgs>),
    /// Show one task.
    #[command(after_help = "\
Examples:
  writ task show --client log-janitor 019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e
  writ task show 019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e --json | jq .state        # as an operator

Who may ask is as for `writ task list`.
Exit codes: 0 shown, 1 no such task or no server, 2 wrong usage, 64 bad configuration.")]
    Show(Box<ShowArgs>),
}

#[derive(Args, Debug)]
#[command(group(grants::required()))]
pub(in crate::cli) struct StartArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,
    #[command(flatten)]
    pub(super) grants: GrantArgs,
    /// The task to start it below
    #[arg(long, value_name = "TASK")]
    pub(super) parent: Option<String>,
    /// How long the task and its token are to live, such as 5m [default: the server's]
    #[arg(long, value_parser = policy::duration::parse, value_name = "TIME")]
    pub(super) expires_in: Option<Duration>,
    /// For which audience of the policy [default: its only one]
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    /// For whom the work is done [default: the client]
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// The agent that will hold the token
    #[arg(long, value_name = "SPIFFE-ID")]
    pub(super) agent: Option<String>,
    /// What the work is, for people
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// What the holder has to prove, as the claim `cnf`
    #[arg(long, value_name = "JSON")]
    pub(super) cnf: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CompleteArgs {
    /// The task
    pub(super) task: String,
    #[command(flatten)]
    pub(super) client: ClientArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(super) caller: EitherArgs,
    /// Only those in this state
    #[arg(long, value_enum)]
    pub(super) state: Option<State>,
    /// Only those right below this task
    #[arg(long, value_name = "TASK")]
    pub(super) parent: Option<String>,
    /// Only those of this agent
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Only those started then or later: a date as `2026-05-10T12:00:00Z`, a Unix second, or so long ago, as `15m`
    #[arg(long, value_name = "TIME", value_parser = instant::second)]
    pub(super) since: Option<u64>,
    /// Only those after this one
    #[arg(long, value_name = "TASK")]
    pub(super) after: Option<String>,
    /// The most to list
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) limit: u32,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// The task
    pub(super) task: String,
    #[command(flatten)]
    pub(super) caller: EitherArgs,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    Active,
    Completed,
    Revoked,
    Expired,
}

impl State {
    /// As the API has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}
