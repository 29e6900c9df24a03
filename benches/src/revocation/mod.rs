//! `revocation`: how soon a task's end is an end at every worker, what telling all of it costs, and what many ended tasks
//! cost each request.

mod cost;
mod latency;
mod live;
mod report;
mod streams;
mod world;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harness::Result;

use self::{cost::Cost, latency::Latency, live::Live};
use crate::output;

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Tasks that are completed one after another.
    #[arg(long, default_value_t = 500)]
    tasks: usize,
    /// Connections to each Envoy that ask all the time meanwhile.
    #[arg(long, default_value_t = 4)]
    load: usize,
    /// Streams of the feed, as there would be one for each worker of each Envoy.
    #[arg(long, default_value_t = 2000)]
    streams: usize,
    /// Revocations a second that are told to them.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// For so many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Revocations that stand while requests are judged.
    #[arg(long, default_value_t = 100_000)]
    live: usize,
    /// Rounds of requests with and without them.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Measure only these.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Write the result with its setup to this file, too (Markdown).
    #[arg(long)]
    record: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// From the acknowledgement of a completion to the denial at the last worker.
    Latency,
    /// What the feed sends and computes for each revocation.
    Cost,
    /// What revocations that stand cost the filter.
    Live,
}

/// What was measured.
#[derive(Default)]
struct Measured {
    latency: Option<Latency>,
    cost: Option<Cost>,
    live: Option<Live>,
}

/// Measures and reports.
///
/// # Errors
/// A part is missing, or a task's end was not an end.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let wants = |part| options.only.is_empty() || options.only.contains(&part);
    let mut measured = Measured::default();
    if wants(Part::Latency) {
        output::progress("two servers on PostgreSQL, two Envoys with four workers each");
        measured.latency = Some(latency::measure(options).await?);
    }
    if wants(Part::Cost) {
        output::progress("one server and its watchers");
        measured.cost = Some(cost::measure(options).await?);
    }
    if wants(Part::Live) {
        output::progress("one Envoy with revocations that stand, one without");
        measured.live = Some(live::measure(options).await?);
    }
    report::show(&measured, options)
}
