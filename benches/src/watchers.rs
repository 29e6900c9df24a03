//! `fanout`: what is asked for and what is shown of [`fanout`].

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use harness::{Result, error::IoContext};
use writ_benches::fanout::{self, Edit, Measured};

use crate::{output, setup};

/// How much to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Streams of the feed, as there would be one for each worker of each Envoy.
    #[arg(long, default_value_t = 2000)]
    streams: usize,
    /// Edits of the policy, one after another.
    #[arg(long, default_value_t = 5)]
    edits: usize,
    /// Write the result with its setup to this file, too (Markdown).
    #[arg(long)]
    record: Option<PathBuf>,
}

/// Measures and reports.
///
/// # Errors
/// A part is missing, or a watcher lost its stream.
pub(crate) async fn run(options: &Options) -> Result<()> {
    output::progress("starting the server and its watchers");
    let measured = fanout::run(&fanout::Options { streams: options.streams, edits: options.edits }).await?;
    let table = table(&measured);
    output::result(&table);
    if let Some(file) = &options.record {
        let text = format!("# One policy edit, many watchers\n\n{}\n{table}", setup::lines().join("  \n"));
        std::fs::write(file, text).context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}

fn table(measured: &Measured) -> String {
    let Measured { streams, document, memory_per_stream, edits } = measured;
    let mut text = format!(
        "{streams} streams, a document of {document} bytes, {memory_per_stream} bytes of the server's memory for each stream\n\n\
         | edit | from the edit until all have acknowledged it | from the first who had it | bytes sent |\n|---|---|---|---|\n"
    );
    for (number, Edit { edited_to_acked, first_to_acked, bytes }) in edits.iter().enumerate() {
        let (whole, spread) = (edited_to_acked.as_secs_f64(), first_to_acked.as_secs_f64());
        let _ = writeln!(text, "| {} | {whole:.3} s | {spread:.3} s | {bytes} |", number + 1);
    }
    text
}
