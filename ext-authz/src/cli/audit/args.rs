//! What can be typed after `writ audit`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{instant, places::DataPlaces, remote::OperatorArgs};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Show what happened, oldest first: of one task, agent, client or token, or of everything.
    #[command(after_help = "\
Examples:
  writ audit query --task 019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e      # from its start to its end, tasks under it too
  writ audit query --agent spiffe://example.org/agent/janitor-1 --verdict deny --since 1h
  writ audit query --since 2026-05-10T00:00:00Z --until 2026-05-11T00:00:00Z --json | jq -c '.events[]'

Requests that were allowed are told by the data planes, about a second after they happened, with their own clocks. What is
shown at once is in the order in which it happened; the next page (--after) may begin a little before the end of this one.
Exit codes: 0 shown, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Query(Box<QueryArgs>),
    /// Show what happened lately, and what happens.
    #[command(after_help = "\
Examples:
  writ audit tail
  writ audit tail --follow --verdict deny
  writ audit tail --follow --json | jq -r 'select(.event == \"revoked\").name'

With --json every event is a line of its own.
Exit codes: 0 shown, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Tail(Box<TailArgs>),
    /// Verify that the log is as it was written: nothing edited, removed, put in or cut off.
    #[command(after_help = "\
Examples:
  writ audit verify
  writ audit verify --checkpoint /mnt/elsewhere/writ-2026-05-10.json
  writ audit verify --json | jq -c '.findings[]'

Reads the store itself, with the key of the log, and needs no server; servers may go on writing. Without a checkpoint that
was kept elsewhere, an earlier state of the whole store in the place of the present one shows nothing.
Exit codes: 0 nothing found, 1 something found or the store not readable, 2 wrong usage, 64 bad configuration.")]
    Verify(VerifyArgs),
    /// Print where all chains of the log end now, sealed: to be kept where the servers cannot change it.
    #[command(after_help = "\
Examples:
  writ audit checkpoint --output /mnt/elsewhere/writ-$(date +%F).json
  writ audit checkpoint | ssh elsewhere 'cat > writ-checkpoint.json'

Exit codes: 0 printed, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Checkpoint(Box<CheckpointArgs>),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct QueryArgs {
    /// Of this task and the tasks under it
    #[arg(long, value_name = "ID")]
    pub(super) task: Option<String>,
    /// About this token, by its `jti`
    #[arg(long, value_name = "ID")]
    pub(super) jti: Option<String>,
    #[command(flatten)]
    pub(super) narrow: NarrowArgs,
    /// Happened then or later: a date as `2026-05-10T12:00:00Z`, or so long ago, as `15m` or `2h`
    #[arg(long, value_name = "TIME", value_parser = instant::millis)]
    pub(super) since: Option<u64>,
    /// Happened before then
    #[arg(long, value_name = "TIME", value_parser = instant::millis)]
    pub(super) until: Option<u64>,
    /// Only those after this place, which the page before ended with
    #[arg(long, value_name = "PLACE")]
    pub(super) after: Option<String>,
    /// The most to show
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct TailArgs {
    #[command(flatten)]
    pub(super) narrow: NarrowArgs,
    /// Begin with what was written so long ago
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = policy::duration::parse)]
    pub(super) since: Duration,
    /// Go on with what is written from now on, until interrupted
    #[arg(long, short)]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Print each event as a line of JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Which events.
#[derive(Args, Debug)]
pub(in crate::cli) struct NarrowArgs {
    /// Of the tokens that this agent holds
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Of the tokens of this client
    #[arg(long, value_name = "NAME")]
    pub(super) client: Option<String>,
    /// Of this kind, as `decision`, `task_started` or `revoked`; what is none is answered with all there are
    #[arg(long, value_name = "KIND")]
    pub(super) event: Option<String>,
    /// Decisions that came out so
    #[arg(long)]
    pub(super) verdict: Option<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Verdict {
    Allow,
    Deny,
}

impl Verdict {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct VerifyArgs {
    /// A checkpoint that was kept elsewhere: the log must contain all that it had then
    #[arg(long, value_name = "FILE")]
    pub(super) checkpoint: Option<PathBuf>,
    #[command(flatten)]
    pub(super) places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CheckpointArgs {
    /// Write it to this file instead
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) operator: OperatorArgs,
    /// Print the result as JSON, which a checkpoint always is
    #[arg(long)]
    pub(super) json: bool,
}
