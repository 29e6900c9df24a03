//! `writ dataplane`: the Envoys that follow a server.

mod list;
mod nodes;

use clap::Subcommand;

use self::list::ListArgs;
use super::Done;

#[derive(Debug, Subcommand)]
pub(super) enum DataPlaneCommand {
    /// List the data planes that are connected, what they hold, and what they refused.
    #[command(after_help = "\
Examples:
  writ dataplane list
  writ dataplane list --admin http://10.0.0.7:8081
  writ dataplane list --json | jq -r '.data_planes[] | select(.nack) | .node'
  writ dataplane list --check >/dev/null && echo all have the newest policy

Asks the admin listener of one server: data planes of other servers are listed there. Every worker of an Envoy has a
stream of its own; they are shown together. HOLDS is the version that was acknowledged last, as epoch.generation.revocation:
the epoch is another after each restore, the generation is the policy's, and the revocation is the last one that is known
there. LAG counts policy generations between that and the newest, REVOCATIONS the revocations.
Exit codes: 0 listed, 1 no server there, or with --check a data plane is behind, 2 wrong usage, 64 bad configuration.")]
    List(ListArgs),
}

pub(super) fn run(command: &DataPlaneCommand) -> Done {
    match command {
        DataPlaneCommand::List(args) => list::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
