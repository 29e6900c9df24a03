//! A policy with what all lints look at.

use super::finding::{Code, Finding};
use crate::{
    places::Place,
    policy::{Ceiling, Policy},
    scope::{Bounds, Route, Search, reached, routes},
};

pub(super) struct Context<'p> {
    pub(super) policy: &'p Policy,
    pub(super) routes: Vec<Route<'p>>,
    pub(super) ceilings: Vec<Bounded<'p>>,
}

/// A ceiling, and what of each rule it opens.
pub(super) struct Bounded<'p> {
    pub(super) client: &'p str,
    pub(super) ceiling: &'p Ceiling,
    pub(super) place: Option<&'p Place>,
    /// Index of the rule in [`Context::routes`], the bounds of what is open of it, and whether a request was found.
    pub(super) reached: Vec<(usize, Bounds, Search)>,
}

impl<'p> Context<'p> {
    pub(super) fn of(policy: &'p Policy) -> Self {
        let routes = routes(policy);
        let mut ceilings = Vec::new();
        for (name, client) in policy.clients() {
            for (index, ceiling) in client.may_request.iter().enumerate() {
                let of_route = |(route, of): (usize, &Route<'_>)| {
                    reached(of, &ceiling.grant).into_iter().map(move |(bounds, found)| (route, bounds, found))
                };
                ceilings.push(Bounded {
                    client: name,
                    ceiling,
                    place: policy.ceiling_place(name, index),
                    reached: routes.iter().enumerate().flat_map(of_route).collect(),
                });
            }
        }
        Self { policy, routes, ceilings }
    }

    /// Where a rule stands.
    pub(super) fn rule_place(&self, route: &Route<'_>) -> Option<&'p Place> {
        self.policy.rule_place(route.host_index, route.rule_index)
    }
}

impl Route<'_> {
    /// The rule, to be named in a sentence.
    pub(super) fn name(&self) -> String {
        format!("`{} {}` of {}", self.rule.method, self.rule.path, names(&self.host.names))
    }
}

/// Host names in a sentence: the first, and how many more.
pub(super) fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// A file and a line in a sentence.
pub(super) fn at(place: Option<&Place>) -> String {
    place.map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default()
}

pub(super) fn finding(
    code: Code,
    place: Option<&Place>,
    what: impl Into<String>,
    advice: impl Into<String>,
) -> Finding {
    Finding { place: place.cloned(), code, what: what.into(), advice: advice.into() }
}
