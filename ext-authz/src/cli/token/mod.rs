//! `writ token`: task tokens, asked for, looked at, verified.

mod args;
mod inspect;
mod issue;
mod presented;
mod sources;
mod verify;

pub(super) use self::args::TokenCommand;
use super::Done;

pub(super) fn run(command: &TokenCommand) -> Done {
    match command {
        TokenCommand::Issue(args) => issue::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Inspect(args) => inspect::run(args).map_err(|failure| failure.shown_as(args.json)),
        TokenCommand::Verify(args) => verify::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
