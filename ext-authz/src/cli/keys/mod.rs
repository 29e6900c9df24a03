//! `writ keys`: the keys that sign tokens.

mod list;
mod rotate;
mod withdraw;

use clap::Subcommand;

use self::{list::ListArgs, rotate::RotateArgs, withdraw::WithdrawArgs};
use super::Done;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List the signing keys: which one signs, which verify, which are withdrawn.
    #[command(after_help = "\
Reads the store, whether or not a server runs; with --server asks that one.

Examples:
  writ keys list
  writ keys list --data-dir /var/lib/writ --json | jq -r '.keys[] | select(.active).kid'

Private halves are never shown.
Exit codes: 0 listed, 1 not readable, 2 wrong usage, 64 no key, or bad configuration.")]
    List(ListArgs),
    /// Replace the key that signs: make the next one, which signs once all data planes hold it.
    #[command(after_help = "\
The next key is published at once. It signs as soon as every connected data plane has acknowledged it, or at the latest
when one that has not would deny everything as stale. Tokens of the old key stay good until they expire.

Examples:
  writ keys rotate
  writ keys rotate --server https://writ.example.org --operator-secret-file operator.secret

Exit codes: 0 begun, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Rotate(RotateArgs),
    /// Withdraw a key that may have leaked: everything that it signed is refused, at once and for good.
    #[command(after_help = "\
If it is the key that signs, another one does from now on. Clients have to ask for new tokens.

Examples:
  writ keys withdraw kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --reason 'found in a backup'

Exit codes: 0 withdrawn, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Withdraw(WithdrawArgs),
}

pub(super) fn run(command: &KeysCommand) -> Done {
    match command {
        KeysCommand::List(args) => list::run(args).map_err(|failure| failure.shown_as(args.json)),
        KeysCommand::Rotate(args) => rotate::run(args).map_err(|failure| failure.shown_as(args.json)),
        KeysCommand::Withdraw(args) => withdraw::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
