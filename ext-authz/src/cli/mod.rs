//! The command line: what was typed, done, and shown.

mod args;
mod audit;
mod backup;
mod completions;
mod dataplane;
mod exit;
mod grants;
mod input;
mod instant;
mod keys;
mod migrate;
mod output;
mod places;
mod policy;
mod published;
mod remote;
mod restore;
mod revoke;
mod serve;
mod snapshot;
mod task;
mod token;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    args::{Args, Command},
    exit::Failure,
};

/// Runs the command that this process was started with.
#[must_use]
pub fn run() -> ExitCode {
    // `clap` prints help and usage errors itself, and ends the process with 0 or 2.
    let args = Args::parse();
    let done = match &args.command {
        Command::Serve(serve) => serve::run(serve),
        Command::Policy { command } => policy::run(command),
        Command::Task { command } => task::run(command),
        Command::Token { command } => token::run(command),
        Command::Revoke(revoke) => revoke::run(revoke),
        Command::Revocations(revocations) => revoke::list(revocations),
        Command::Snapshot { command } => snapshot::run(command),
        Command::Keys { command } => keys::run(command),
        Command::DataPlane { command } => dataplane::run(command),
        Command::Audit { command } => audit::run(command),
        Command::Backup(backup) => backup::run(backup),
        Command::Restore(restore) => restore::run(restore),
        Command::Migrate(migrate) => migrate::run(migrate),
        Command::Completions(completions) => completions::run(completions),
    };
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

type Done = Result<(), Failure>;
