//! Ceilings of one client that say the same, or say of one request different things.

use super::{
    context::{Bounded, Context, at, finding},
    finding::{Code, Finding},
};
use crate::{
    policy::Ceiling,
    scope::{Search, search},
};

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (index, one) in context.ceilings.iter().enumerate() {
        let others = || {
            context
                .ceilings
                .iter()
                .enumerate()
                .filter(|(at, other)| *at != index && other.client == one.client)
        };
        // Of two that say the same, the later one is told.
        let covering = others().find(|(at, other)| {
            is_within(one.ceiling, other.ceiling) && (*at < index || !is_within(other.ceiling, one.ceiling))
        });
        if let Some((_, other)) = covering {
            findings.push(covered(one, other));
            continue;
        }
        let overlapping = others().filter(|(at, other)| {
            *at < index && !is_within(other.ceiling, one.ceiling) && differ(one.ceiling, other.ceiling)
        });
        findings.extend(overlapping.filter_map(|(_, other)| overlap(context, one, other)));
    }
}

/// Whether whatever `one` lets a client have, `other` does.
fn is_within(one: &Ceiling, other: &Ceiling) -> bool {
    let Ceiling { grant, max_ttl, max_depth } = one;
    let lives_as_long = match (max_ttl, other.max_ttl) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(ours), Some(theirs)) => *ours <= theirs,
    };
    grant.covered_by(&other.grant) && lives_as_long && *max_depth <= other.max_depth
}

/// Whether they bound differently what they both cover.
fn differ(one: &Ceiling, other: &Ceiling) -> bool {
    (one.max_ttl, one.max_depth, one.grant.limits) != (other.max_ttl, other.max_depth, other.grant.limits)
}

fn covered(one: &Bounded<'_>, other: &Bounded<'_>) -> Finding {
    let what = format!(
        "a ceiling of client `{}` is within the one at {}: whatever it allows, that one allows, for as long or longer",
        one.client,
        at(other.place)
    );
    let advice = "remove this one, or narrow the other one to what this one leaves";
    finding(Code::CeilingCovered, one.place, what, advice)
}

/// A finding, if a request is found that both cover.
fn overlap(context: &Context<'_>, one: &Bounded<'_>, other: &Bounded<'_>) -> Option<Finding> {
    let grants = [&one.ceiling.grant, &other.ceiling.grant];
    for (index, ours, _) in &one.reached {
        let route = context.routes.get(*index)?;
        for (_, theirs, _) in other.reached.iter().filter(|(theirs, _, _)| theirs == index) {
            let both = ours.clone().and(theirs);
            if matches!(search(route, &both, &grants), Search::Found(_)) {
                let what = format!(
                    "a ceiling of client `{}` and the one at {} cover requests of the rule {} in common, with another \
                     `max_ttl`, `max_depth` or limit: for those the wider one counts",
                    one.client,
                    at(other.place),
                    route.name()
                );
                let advice =
                    "make their actions, resources or constraints exclude each other, or their bounds equal";
                return Some(finding(Code::CeilingOverlap, one.place, what, advice));
            }
        }
    }
    None
}
