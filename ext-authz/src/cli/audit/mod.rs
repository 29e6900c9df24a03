//! `writ audit`: what happened, and whether what is written of it is still there.

mod args;
mod ask;
mod checkpoint;
mod query;
mod tail;
mod verify;
mod words;

pub(super) use self::args::AuditCommand;
use super::Done;

pub(super) fn run(command: &AuditCommand) -> Done {
    match command {
        AuditCommand::Query(args) => query::run(args).map_err(|failure| failure.shown_as(args.json)),
        AuditCommand::Tail(args) => tail::run(args).map_err(|failure| failure.shown_as(args.json)),
        AuditCommand::Verify(args) => verify::run(args).map_err(|failure| failure.shown_as(args.json)),
        AuditCommand::Checkpoint(args) => {
            checkpoint::run(args).map_err(|failure| failure.shown_as(args.json))
        }
    }
}
