//! `writ task`: tasks, started, completed, looked at.

mod answer;
mod args;
mod complete;
mod list;
mod show;
mod start;

pub(super) use self::args::TaskCommand;
use super::Done;

pub(super) fn run(command: &TaskCommand) -> Done {
    match command {
        TaskCommand::Start(args) => start::run(args).map_err(|failure| failure.shown_as(args.json)),
        TaskCommand::Complete(args) => complete::run(args).map_err(|failure| failure.shown_as(args.json)),
        TaskCommand::List(args) => list::run(args).map_err(|failure| failure.shown_as(args.json)),
        TaskCommand::Show(args) => show::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
