//! The table, and the ratios that the budget is about.

use std::fmt::Write;

use writ_benches::{NOW, key, token_at};

use super::{
    Options,
    measure::{Round, Sample},
    variant::{ALL, Variant},
};
use crate::{load::CONNECTIONS, setup, spread::Spread};

/// A finished measurement.
pub(super) struct Report<'r> {
    rounds: &'r [Round],
    options: &'r Options,
}

/// One line of the budget.
struct Budget {
    what: &'static str,
    ratio: Spread,
    limit: f64,
}

impl<'r> Report<'r> {
    pub(super) fn new(rounds: &'r [Round], options: &'r Options) -> Self {
        Self { rounds, options }
    }

    /// Both tables, as Markdown.
    pub(super) fn table(&self) -> String {
        let mut text = String::from(
            "| microseconds a request | Envoy | added in Envoy | in the server | requests/s |\n|---|---|---|---|---|\n",
        );
        for variant in ALL {
            let (envoy, server) = (self.spread(variant, |s| s.envoy), self.spread(variant, |s| s.server));
            let added = Spread::of(self.rounds.iter().map(|round| added(round, variant)));
            let throughput = self.spread(variant, |s| s.throughput);
            let of = |is: bool, spread: Spread| if is { interval(spread, 1) } else { "-".to_owned() };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                variant.name(),
                interval(envoy, 1),
                of(variant != Variant::NoFilter, added),
                of(server.median > 0.0, server),
                interval(throughput, 0),
            );
        }
        text.push_str("\n| added CPU time, as a ratio | measured | budget |  |\n|---|---|---|---|\n");
        for Budget { what, ratio, limit } in self.budgets() {
            let kept = if ratio.median <= limit { "kept" } else { "**missed**" };
            let _ = writeln!(text, "| {what} | {} | {limit} | {kept} |", interval(ratio, 2));
        }
        text.push_str("\nMedian, and in brackets the quartiles over the rounds.");
        text
    }

    /// The tables with what they were made on.
    pub(super) fn record(&self) -> String {
        let Options { rounds, requests, record: _ } = self.options;
        let mut text = String::from(
            "# The data path\n\n`make bench`: CPU time of each process for one request through Envoy.\n\n",
        );
        for line in setup::lines() {
            let _ = writeln!(text, "- {line}");
        }
        let size = token_at(&key(), 0, NOW).len();
        let _ = writeln!(
            text,
            "- one Envoy with one worker and a listener for each line; upstream and load on the other core, not counted\n\
             - {rounds} rounds, interleaved; in each {requests} requests a line, {CONNECTIONS} at a time, HTTP/1.1 kept alive\n\
             - a `GET` with an Ed25519 token of {size} bytes, one grant, as the server issues it"
        );
        let _ = writeln!(text, "\n{}", self.table());
        text
    }

    fn budgets(&self) -> [Budget; 3] {
        let ratio = |of: &dyn Fn(&Round) -> f64, to: &dyn Fn(&Round) -> f64| {
            Spread::of(self.rounds.iter().map(|round| of(round) / to(round)))
        };
        let add = |variant: Variant| move |round: &Round| added(round, variant);
        let hop = |round: &Round| added(round, Variant::DoNothing) + sample(round, Variant::DoNothing).server;
        [
            Budget {
                what: "filter, token seen before : jwt_authn with cache and headers, rbac",
                ratio: ratio(&add(Variant::FilterSeen), &add(Variant::JwtCached)),
                limit: 1.5,
            },
            Budget {
                what: "filter, token never seen : jwt_authn without cache",
                ratio: ratio(&add(Variant::FilterNew), &add(Variant::Jwt)),
                limit: 0.75,
            },
            Budget {
                what: "filter, token seen before : a do-nothing ext_authz hop, both processes",
                ratio: ratio(&add(Variant::FilterSeen), &hop),
                limit: 0.3,
            },
        ]
    }

    fn spread(&self, variant: Variant, value: impl Fn(Sample) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(|round| value(sample(round, variant))))
    }
}

fn sample(round: &Round, variant: Variant) -> Sample {
    let index = ALL.iter().position(|&other| other == variant);
    index.and_then(|index| round.get(index)).copied().unwrap_or_default()
}

/// What a variant adds to Envoy's CPU time, against the same round's requests without a filter.
fn added(round: &Round, variant: Variant) -> f64 {
    sample(round, variant).envoy - sample(round, Variant::NoFilter).envoy
}

fn interval(Spread { low, median, high }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
}
