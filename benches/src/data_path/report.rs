//! The table, and the ratios that the budget is about.

use std::fmt::Write;

use writ_benches::{NOW, key, token_at};

use super::{
    Options,
    measure::{BODY, Round, Sample},
    variant::Variant,
};
use crate::{load::CONNECTIONS, setup, spread::Spread};

/// A finished measurement.
pub(super) struct Report<'r> {
    variants: &'r [Variant],
    rounds: &'r [Round],
    options: &'r Options,
}

/// One line of the budget.
struct Budget {
    what: &'static str,
    ratio: Spread,
    /// `None` where nothing was promised.
    limit: Option<f64>,
}

impl<'r> Report<'r> {
    pub(super) fn new(variants: &'r [Variant], rounds: &'r [Round], options: &'r Options) -> Self {
        Self { variants, rounds, options }
    }

    /// Both tables, as Markdown.
    pub(super) fn table(&self) -> String {
        let mut text = String::from(
            "| microseconds a request | Envoy | added in Envoy | in the server | requests/s |\n|---|---|---|---|---|\n",
        );
        for &variant in self.variants {
            let (envoy, server) = (self.spread(variant, |s| s.envoy), self.spread(variant, |s| s.server));
            let added = Spread::of(self.rounds.iter().filter_map(|round| self.added(round, variant)));
            let throughput = self.spread(variant, |s| s.throughput);
            let of = |is: bool, spread: Spread| if is { interval(spread, 1) } else { "-".to_owned() };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                variant.name(),
                interval(envoy, 1),
                of(variant != variant.base(), added),
                of(server.median > 0.0, server),
                interval(throughput, 0),
            );
        }
        text.push_str("\n| added CPU time, as a ratio | measured | budget |  |\n|---|---|---|---|\n");
        for Budget { what, ratio, limit } in self.budgets() {
            let (limit, kept) = match limit {
                None => ("-".to_owned(), ""),
                Some(limit) if ratio.median <= limit => (limit.to_string(), "kept"),
                Some(limit) => (limit.to_string(), "**missed**"),
            };
            let _ = writeln!(text, "| {what} | {} | {limit} | {kept} |", interval(ratio, 2));
        }
        for (of, to) in [(Variant::OtherSeen, Variant::FilterSeen), (Variant::OtherFed, Variant::FilterFed)] {
            let more = |round| Some(self.added(round, of)? - self.added(round, to)?);
            let more: Vec<f64> = self.rounds.iter().filter_map(more).collect();
            if !more.is_empty() {
                let (of, more) = (of.name(), interval(Spread::of(more), 2));
                let _ = writeln!(text, "\n{of}: {more} microseconds more");
            }
        }
        text.push_str("\nMedian, and in brackets the quartiles over the rounds.");
        text
    }

    /// The tables with what they were made on.
    pub(super) fn record(&self) -> String {
        let Options { rounds, requests, .. } = self.options;
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
             - a `GET` with an Ed25519 token of {size} bytes, one grant, as the server issues it\n\
             - with a body: a `POST` of {} bytes of JSON, in which two parameters are found",
            BODY.len()
        );
        let _ = writeln!(text, "\n{}", self.table());
        text
    }

    /// Those of which both sides were measured.
    fn budgets(&self) -> Vec<Budget> {
        let seen_to_native = "filter, token seen before : jwt_authn with cache and headers, rbac";
        let fed_to_native = "filter on the feed, token seen before : the same";
        let new_to_native = "filter, token never seen : jwt_authn without cache";
        let injected =
            "filter on the feed, credential injected : jwt_authn with cache, rbac, credential_injector";
        let seen_to_hop = "filter, token seen before : a do-nothing ext_authz hop, both processes";
        let body_to_unread = "filter, body check : the same request with its body not read";
        let body_to_hop = "filter, body check : a do-nothing ext_authz hop without a body, both processes";
        let budgets = [
            (seen_to_native, Variant::FilterSeen, Variant::JwtCached, Some(1.5)),
            (fed_to_native, Variant::FilterFed, Variant::JwtCached, Some(1.5)),
            (new_to_native, Variant::FilterNew, Variant::Jwt, Some(0.75)),
            (seen_to_hop, Variant::FilterSeen, Variant::DoNothing, Some(0.3)),
            (body_to_unread, Variant::BodyCheck, Variant::BodyUnread, None),
            (body_to_hop, Variant::BodyCheck, Variant::DoNothing, None),
            (injected, Variant::FilterInjects, Variant::Injector, None),
        ];
        let measured = |variant| self.variants.contains(&variant);
        let budgets = budgets.into_iter().filter(|&(_, of, to, _)| measured(of) && measured(to));
        let budget = |(what, of, to, limit)| {
            let ratio = |round| Some(self.added(round, of)? / self.added_to_both(round, to)?);
            Budget { what, ratio: Spread::of(self.rounds.iter().filter_map(ratio)), limit }
        };
        budgets.map(budget).collect()
    }

    fn spread(&self, variant: Variant, value: impl Fn(Sample) -> f64) -> Spread {
        Spread::of(self.rounds.iter().filter_map(|round| self.sample(round, variant)).map(value))
    }

    fn sample(&self, round: &Round, variant: Variant) -> Option<Sample> {
        let index = self.variants.iter().position(|&other| other == variant)?;
        round.get(index).copied()
    }

    /// What a variant adds to Envoy's CPU time, against the same round's requests without a filter.
    fn added(&self, round: &Round, variant: Variant) -> Option<f64> {
        Some(self.sample(round, variant)?.envoy - self.sample(round, variant.base())?.envoy)
    }

    /// The same, and what the server takes that is asked.
    fn added_to_both(&self, round: &Round, variant: Variant) -> Option<f64> {
        Some(self.added(round, variant)? + self.sample(round, variant)?.server)
    }
}

fn interval(Spread { low, median, high }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
}
