//! `writ snapshot`: what a data plane judges by.

mod args;
mod export;
pub(super) mod exported;
mod show;

pub(super) use self::args::SnapshotCommand;
use super::Done;

pub(super) fn run(command: &SnapshotCommand) -> Done {
    match command {
        SnapshotCommand::Export(args) => export::run(args).map_err(|failure| failure.shown_as(args.json)),
        SnapshotCommand::Show(args) => show::run(args).map_err(|failure| failure.shown_as(args.json)),
    }
}
