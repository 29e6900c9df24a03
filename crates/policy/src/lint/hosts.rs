//! Rules that no request comes to, and rules and hosts that no token opens.

use std::collections::{BTreeMap, BTreeSet};

use verdict::document::{Mode, Presence};

use super::{
    context::{Context, finding, names},
    finding::{Code, Finding},
};
use crate::scope::{Bounds, MOST_SEGMENTS, Route, Search, reached, search};

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let granted: BTreeSet<usize> = context
        .ceilings
        .iter()
        .flat_map(|bounded| bounded.reached.iter().map(|(route, _, _)| *route))
        .collect();
    let opened: BTreeSet<usize> =
        granted.iter().filter_map(|route| context.routes.get(*route)).map(|route| route.host_index).collect();
    for (index, route) in context.routes.iter().enumerate() {
        let place = context.rule_place(route);
        let never =
            if is_shadowed(route) { Some(shadowed(context, route)) } else { impossible(context, route) };
        if let Some(never) = never {
            findings.push(never);
            continue;
        }
        if !route.is_exempt() && !granted.contains(&index) && opened.contains(&route.host_index) {
            let what = format!("no client's ceiling covers any request of the rule {}", route.name());
            let advice = "give a client a ceiling for its action and resource, or remove the rule: what no rule \
                          describes is refused as well";
            findings.push(finding(Code::RuleUngranted, place, what, advice));
        }
        findings.extend(optional(context, route));
    }
    for (index, host) in context.policy.hosts().iter().enumerate() {
        let place = context.policy.host_place(index);
        let needs_token = context.routes.iter().any(|route| route.host_index == index && !route.is_exempt());
        if needs_token && !opened.contains(&index) {
            let what = format!("no client's ceiling reaches any rule of {}", names(&host.names));
            let advice = "give a client a ceiling for an action of its rules, or remove the host";
            findings.push(finding(Code::HostUnreached, place, what, advice));
        }
        if let Mode::Shadow { until } = host.mode {
            let what = format!(
                "{} forwards what should be denied, until {until} (Unix seconds)",
                names(&host.names)
            );
            let advice = "remove `mode` and `until` once the recorded denials are the right ones";
            findings.push(finding(Code::Shadow, place, what, advice));
        }
    }
}

/// Whether every path of the rule is taken by narrower ones: the verdict's rules of equal shape are errors before.
fn is_shadowed(route: &Route<'_>) -> bool {
    if route.narrower.is_empty() {
        return false;
    }
    // Whatever its requests mean, only their paths are in question.
    let path_only = Route { meaning: None, ..route.clone() };
    search(&path_only, &Bounds::default(), &[]) == Search::Nothing
}

fn shadowed(context: &Context<'_>, route: &Route<'_>) -> Finding {
    let narrower: Vec<_> = route.narrower.iter().map(|(path, _)| format!("`{path}`")).collect();
    let what = format!(
        "the rule {} never matches: narrower paths are tried first and take all of its paths: {}",
        route.name(),
        narrower.join(", ")
    );
    let advice = format!("add rules for {} to those paths, or remove this one", route.rule.method);
    finding(Code::RuleShadowed, context.rule_place(route), what, advice)
}

/// A finding, if every request of the rule is refused, whatever grants its token has.
fn impossible(context: &Context<'_>, route: &Route<'_>) -> Option<Finding> {
    let is_too_deep = route.shape.steps.len() > MOST_SEGMENTS;
    let widest = route.widest_grant();
    let why = if is_too_deep {
        "paths of so many segments are refused"
    } else if widest.is_some_and(|widest| reached(route, &widest).is_empty()) {
        "its action or its resource is made of a value that is refused wherever it comes"
    } else {
        return None;
    };
    let what = format!("the rule {} never matches: {why}", route.name());
    let advice = "make its action and resource of other parts of the request, or remove it";
    Some(finding(Code::RuleImpossible, context.rule_place(route), what, advice))
}

/// Names that the action or the resource needs and the rule lets requests leave out.
fn optional(context: &Context<'_>, route: &Route<'_>) -> Vec<Finding> {
    let of = |kind: &'static str, names: &BTreeMap<String, Presence>| {
        let is_optional = |(name, presence): &(&String, &Presence)| {
            **presence == Presence::Optional && route.substitutes(&format!("{kind}.{name}"))
        };
        names.iter().filter(is_optional).map(|(name, _)| format!("{kind}.{name}")).collect::<Vec<_>>()
    };
    let names = of("query", &route.rule.query).into_iter().chain(of("form", &route.rule.form));
    let told = names.map(|name| {
        let what = format!(
            "the rule {} lets requests leave out `{name}`, without which they have no action or resource and are \
             refused as ambiguous",
            route.name()
        );
        finding(Code::RuleOptional, context.rule_place(route), what, "declare it as `required`")
    });
    told.collect()
}
