//! The tables.

use std::fmt::Write as _;

use harness::{Result, error::IoContext};

use super::{Measured, Options, cost::Cost, latency::Latency, live::Live};
use crate::{output, setup, spread::Spread};

/// Milliseconds to the denial at the last worker.
const P50: f64 = 5.0;
const P99: f64 = 50.0;

pub(super) fn show(measured: &Measured, options: &Options) -> Result<()> {
    let Measured { latency, cost, live } = measured;
    let tables = [latency.as_ref().map(of_latency), cost.as_ref().map(of_cost), live.as_ref().map(of_live)];
    let text = tables.into_iter().flatten().collect::<Vec<_>>().join("\n");
    output::result(&text);
    if let Some(file) = &options.record {
        let text = format!("# Tasks end\n\n{}\n\n{text}", setup::lines().join("  \n"));
        std::fs::write(file, text).context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}

fn of_latency(latency: &Latency) -> String {
    let millis = |percent| latency.percentile(percent).as_secs_f64() * 1e3;
    let mut text = format!(
        "{} tasks completed one after another, at two servers on PostgreSQL in turn, {} workers of two Envoys, {:.0} \
         requests a second beside them; from the acknowledgement to the denial at the last worker, each of which is \
         asked every millisecond or two\n\n| | measured | budget | |\n|---|---|---|---|\n",
        latency.delays.len(),
        latency.workers,
        latency.load
    );
    for (name, percent, budget) in [("p50", 50, Some(P50)), ("p99", 99, Some(P99)), ("longest", 100, None)] {
        let value = millis(percent);
        let (shown, verdict) = match budget {
            Some(budget) => (format!("under {budget} ms"), if value < budget { "met" } else { "missed" }),
            None => (String::new(), ""),
        };
        let _ = writeln!(text, "| {name} | {value:.1} ms | {shown} | {verdict} |");
    }
    text
}

fn of_cost(cost: &Cost) -> String {
    let Cost { streams, revocations, took, behind, cpu, messages, bytes, memory, idle } = cost;
    let (each, seconds) = (*revocations as f64, took.as_secs_f64());
    let streams_f = *streams as f64;
    format!(
        "{revocations} revocations in {seconds:.1} s to {streams} streams, which are in the process that measures\n\n\
         | what | measured |\n|---|---|\n\
         | feed bytes for each revocation and stream | {:.1} |\n\
         | messages for each stream, a second | {:.0} |\n\
         | CPU of the server for each revocation, all streams together | {:.0} us |\n\
         | cores of the server meanwhile | {:.2} |\n\
         | and without a revocation | {:.3} |\n\
         | the last watcher behind the last acknowledgement | {:.0} ms |\n\
         | memory of the server for each stream | {memory} bytes |\n",
        bytes / each / streams_f,
        messages / streams_f / seconds,
        cpu.as_secs_f64() * 1e6 / each,
        cpu.as_secs_f64() / seconds,
        idle.as_secs_f64() / seconds,
        behind.as_secs_f64() * 1e3,
    )
}

fn of_live(live: &Live) -> String {
    let Live { revocations, rounds, resident: [without, with], machines } = live;
    let without_cpu = Spread::of(rounds.iter().map(|[without, _]| *without));
    let with_cpu = Spread::of(rounds.iter().map(|[_, with]| *with));
    let ratio = Spread::of(rounds.iter().map(|[without, with]| with / without));
    let micros =
        |spread: &Spread| format!("{:.1} us ({:.1} to {:.1})", spread.median, spread.low, spread.high);
    format!(
        "{revocations} revocations that stand, a token seen before; medians of {} rounds, quartiles in brackets\n\n\
         | what | without | with |\n|---|---|---|\n\
         | Envoy's CPU for each request | {} | {} |\n\
         | ratio | | {:.3} ({:.3} to {:.3}) |\n\
         | Envoy's memory for each machine of the filter | | {:.1} MiB more |\n",
        rounds.len(),
        micros(&without_cpu),
        micros(&with_cpu),
        ratio.median,
        ratio.low,
        ratio.high,
        with.saturating_sub(*without) as f64 / *machines as f64 / f64::from(1 << 20),
    )
}
