//! Measurements with real parts: `cargo run --release -p writ-benches -- <what>`, or `make bench`.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use harness::Result;

mod cpu;
mod data_path;
mod do_nothing;
mod issue;
mod load;
mod output;
mod revocation;
mod setup;
mod spread;
mod upstream;
mod watchers;

/// Measures what Writ costs, side by side with what it is held against.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// CPU time and throughput of one request through Envoy, without and with each way to authorize it.
    DataPath(data_path::Options),
    /// One edit of the policy, acknowledged by many watchers of the feed.
    Fanout(watchers::Options),
    /// Tokens of tasks that exist, batched and one by one, from a server on one core.
    Issue(issue::Options),
    /// Tasks that end: how soon at every worker, what telling it costs, and what many of them cost each request.
    Revocation(revocation::Options),
    /// The ext_authz server that others are held against: it answers OK to everything.
    #[command(hide = true)]
    DoNothing {
        /// The Unix socket to listen on.
        socket: PathBuf,
    },
}

fn main() -> ExitCode {
    let Arguments { what } = Arguments::parse();
    match run(what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::problem(&error);
            ExitCode::FAILURE
        }
    }
}

/// One thread: Envoy has a core, and everything that is not measured shares the other.
fn run(what: What) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(harness::error::unexpected)?;
    match what {
        What::DataPath(options) => runtime.block_on(data_path::run(&options)),
        What::Fanout(options) => runtime.block_on(watchers::run(&options)),
        What::Issue(options) => runtime.block_on(issue::run(&options)),
        What::Revocation(options) => runtime.block_on(revocation::run(&options)),
        What::DoNothing { socket } => runtime.block_on(do_nothing::serve(&socket)),
    }
}
