//! The table.

use std::fmt::Write as _;

use harness::{Result, error::IoContext};

use super::{Measured, Options};
use crate::{output, setup, spread::Spread};

/// Tokens a second, on one stream; and the most milliseconds of a call among so many a second.
const TOKENS: f64 = 50_000.0;
const P50: f64 = 1.0;
const P99: f64 = 3.0;

pub(super) fn show(measured: &Measured, options: &Options) -> Result<()> {
    let table = table(measured, options);
    output::result(&table);
    if let Some(file) = &options.record {
        let text = format!("# Tokens of existing tasks\n\n{}\n\n{table}", setup::lines().join("  \n"));
        std::fs::write(file, text).context(|| format!("write `{}`", file.display()))?;
    }
    Ok(())
}

fn table(measured: &Measured, options: &Options) -> String {
    let Measured { batched, paced } = measured;
    let rates =
        Spread::of(batched.iter().map(|round| round.what.tokens as f64 / round.what.time.as_secs_f64()));
    let cpu = Spread::of(batched.iter().map(|round| round.cpu * 1e6 / round.what.tokens as f64));
    let millis =
        |percent| Spread::of(paced.iter().map(|round| round.what.percentile(percent).as_secs_f64() * 1e3));
    let (p50, p99) = (millis(50), millis(99));
    let paced_cpu = Spread::of(paced.iter().map(|round| round.cpu * 1e6 / round.what.calls().max(1) as f64));
    let mut text = format!(
        "the server on one core, SQLite, audit log on; medians of {} rounds, quartiles in brackets\n\n\
         | what | measured | budget | |\n|---|---|---|---|\n",
        options.rounds
    );
    let mut row = |what: &str, measured: String, budget: String, is_met: Option<bool>| {
        let verdict = is_met.map_or("", |is_met| if is_met { "met" } else { "missed" });
        let _ = writeln!(text, "| {what} | {measured} | {budget} | {verdict} |");
    };
    let rate = format!("{:.0} ({:.0} to {:.0})", rates.median, rates.low, rates.high);
    row(
        "tokens a second, batched on one stream",
        rate,
        format!("at least {TOKENS:.0}"),
        Some(rates.median >= TOKENS),
    );
    let micros =
        |spread: &Spread| format!("{:.1} us ({:.1} to {:.1})", spread.median, spread.low, spread.high);
    row("CPU of the server for each", micros(&cpu), String::new(), None);
    for (name, spread, budget) in [("p50", &p50, P50), ("p99", &p99, P99)] {
        let shown = format!("{:.2} ms ({:.2} to {:.2})", spread.median, spread.low, spread.high);
        let what = format!("{name} of a call, at {} a second", options.rate);
        row(&what, shown, format!("under {budget} ms"), Some(spread.median < budget));
    }
    row("CPU of the server for each", micros(&paced_cpu), String::new(), None);
    text
}
