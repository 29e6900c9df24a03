//! `issue`: tokens of tasks that exist, over gRPC, from a server that has one core, its audit log on.

mod batched;
mod client;
mod cores;
mod paced;
mod report;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use harness::{
    Result,
    error::{IoContext, unexpected},
    server::{Release, Server, Setup},
};

use self::{
    batched::Batched,
    client::{Clients, policy},
    cores::Cores,
    paced::Paced,
};
use crate::{cpu, output};

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Tokens of a round on one stream.
    #[arg(long, default_value_t = 200_000)]
    tokens: u64,
    /// Rounds of each kind, after one to warm up.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls a second, each of its own.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// Seconds of a round of those.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Write the result with its setup to this file, too (Markdown).
    #[arg(long)]
    record: Option<PathBuf>,
}

/// What was measured.
struct Measured {
    batched: Vec<Round<Batched>>,
    paced: Vec<Round<Paced>>,
}

/// One round, and what it cost the server.
struct Round<T> {
    what: T,
    /// CPU seconds of the server.
    cpu: f64,
}

/// Tasks that tokens are asked for, in turn.
const TASKS: usize = 100;

/// Measures and reports.
///
/// # Errors
/// A part is missing, or the server refuses something.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let cores = Cores::find()?;
    let directory =
        tempfile::Builder::new().prefix("b").tempdir().context(|| "make a directory".to_owned())?;
    let policies = directory.path().join("policies");
    std::fs::create_dir(&policies).context(|| "make the policy directory".to_owned())?;
    std::fs::write(policies.join("logs.yaml"), policy()).context(|| "write the policy".to_owned())?;
    let setup = Setup { data: directory.path().join("d"), policies, config: None, release: Release::Current };
    output::progress("starting the server on a core of its own");
    let server = cores.on_first(Server::start(&setup)).await?;
    let clients = Arc::new(Clients::connect(server.listeners.grpc, TASKS).await?);

    let mut measured = Measured { batched: Vec::new(), paced: Vec::new() };
    for round in 0..=options.rounds {
        output::progress(&format!("round {round} of {}", options.rounds));
        let (batched, cpu) = costing(&server, batched::run(&clients, options.tokens)).await?;
        let (paced, paced_cpu) =
            costing(&server, paced::run(&clients, options.rate, options.seconds)).await?;
        if round > 0 {
            measured.batched.push(Round { what: batched, cpu });
            measured.paced.push(Round { what: paced, cpu: paced_cpu });
        }
    }
    let recorded = client::recorded(&server).await?;
    let expected = clients.asked();
    if recorded < expected {
        return Err(unexpected(format!(
            "{expected} tokens were issued, and the audit log has {recorded} events"
        )));
    }
    server.stop().await?;
    report::show(&measured, options)
}

/// The work's result, and the CPU seconds that it took the server.
async fn costing<T>(server: &Server, work: impl Future<Output = Result<T>>) -> Result<(T, f64)> {
    let before = cpu::time(server.id())?;
    let done = work.await?;
    let after = cpu::time(server.id())?;
    Ok((done, after.saturating_sub(before).as_secs_f64()))
}
