//! What one request costs through Envoy, without and with each way to authorize it: the same request, one Envoy with
//! one worker, rounds of all variants interleaved, so that what else runs on the machine hits all alike.

mod bootstrap;
mod measure;
mod parts;
mod report;
mod variant;

use std::path::PathBuf;

use clap::Args;
use harness::{Result, error::IoContext};

use crate::output;

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Rounds, each of all variants.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Requests of each variant in a round.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=9000))]
    requests: u32,
    /// Measure only these beside `none`; named after their listeners, as in `filter-seen,jwt-cached`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Another build of the filter, to be measured in the same rounds.
    #[arg(long)]
    other: Option<PathBuf>,
    /// Write the result with its setup to this file, too (Markdown).
    #[arg(long)]
    record: Option<PathBuf>,
}

/// Measures and reports.
///
/// # Errors
/// A part is missing, or a request was not answered as it should be.
pub(crate) async fn run(options: &Options) -> Result<()> {
    output::progress("starting Envoy, the server and the do-nothing server");
    let variants = variant::Variant::chosen(&options.only, options.other.is_some());
    let parts = parts::Parts::start(&variants, options.other.as_deref()).await?;
    let rounds = measure::rounds(&parts, &variants, options).await?;
    let report = report::Report::new(&variants, &rounds, options);
    output::result(&report.table());
    if let Some(file) = &options.record {
        std::fs::write(file, report.record()).context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}
