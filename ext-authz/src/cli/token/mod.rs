//! `writ token`: task tokens, asked for, exchanged, revoked, looked at, verified.

mod answer;
mod args;
mod exchange;
mod inspect;
mod issue;
mod presented;
mod revoke;
mod sources;
mod verify;

pub(super) use self::args::TokenCommand;
use super::Done;

pub(super) fn run(command: &TokenCommand) -> Done {
    match command {
        TokenCommand::Issue(args) => issue::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Exchange(args) => exchange::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Revoke(args) => revoke::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Inspect(args) => inspect::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Verify(args) => verify::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
