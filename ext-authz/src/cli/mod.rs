//! The command line: what was typed, done, and shown.

mod args;
mod exit;
mod output;
mod policy;
mod serve;
mod snapshot;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    args::{Args, Command, SnapshotCommand},
    exit::Failure,
};

/// Runs the command that this process was started with.
#[must_use]
pub fn run() -> ExitCode {
    // `clap` prints help and usage errors itself, and ends the process with 0 or 2.
    let args = Args::parse();
    let done = match &args.command {
        Command::Serve(serve) => serve::run(serve),
        Command::Snapshot { command: SnapshotCommand::Export(export) } => snapshot::export(export),
        Command::Policy { command } => policy::run(command),
    };
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

type Done = Result<(), Failure>;
