//! `writ keys`: the keys that sign tokens.

mod list;

use clap::Subcommand;

use self::list::ListArgs;
use super::Done;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List the signing keys of the store: which one signs, which verify, which are withdrawn.
    #[command(after_help = "\
Examples:
  writ keys list
  writ keys list --data-dir /var/lib/writ --json | jq -r '.keys[] | select(.active).kid'

Private halves are never shown.
Exit codes: 0 listed, 1 not readable, 2 wrong usage, 64 no key, or bad configuration.")]
    List(ListArgs),
}

pub(super) fn run(command: &KeysCommand) -> Done {
    match command {
        KeysCommand::List(args) => list::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
