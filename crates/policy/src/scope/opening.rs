//! What a grant opens of one rule.

use verdict::{
    document::{HostDocument, ParamType, RuleDocument},
    grant::{Grant, Predicates},
};

use super::{
    bounds::Bounds,
    example::Example,
    narrowed,
    route::Route,
    shape::Shape,
    witness::{Search, search},
};
use crate::{places::Place, policy::Policy};

/// Requests that a grant opens: those of one rule, narrowed.
#[derive(Clone, Debug)]
pub struct Opening<'p> {
    /// The host, under all its names.
    pub host: &'p HostDocument,
    /// The rule.
    pub rule: &'p RuleDocument,
    /// Where the rule stands.
    pub place: Option<&'p Place>,
    /// The paths: literal segments, text with one `*` for any text without `/`, `{name}` for any segment, and a final
    /// `{*name}` for one segment or more.
    pub path: String,
    /// The actions, likewise.
    pub action: String,
    /// The resources, likewise.
    pub resource: String,
    /// What values that are not in the path must be, for their action or resource.
    pub conditions: Vec<Condition>,
    /// What constraints are held against, by name.
    pub params: Vec<OpenParam<'p>>,
    /// Path templates of the host that take their paths out of these: a narrower path decides.
    pub except: Vec<&'p str>,
    /// One of the requests; `None` where none was found, or where it would have a body that is read.
    pub example: Option<Example>,
}

/// What a text of the request must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The source of a value, such as `query.Action`; or text with several of them in braces.
    pub of: String,
    /// Its pattern: a text, or what it begins and ends with around one `*`.
    pub is: String,
}

/// A parameter of a rule under a grant.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenParam<'p> {
    /// Its name in constraints.
    pub name: &'p str,
    /// Where it is in the request.
    pub from: &'p str,
    /// What its text is read as.
    pub kind: ParamType,
    /// What it must be, and then it must be there. `None`: whatever the rule takes.
    pub must: Option<Predicates>,
}

/// What `grant` opens, in the order of the policy.
pub(super) fn openings<'p>(policy: &'p Policy, routes: &[Route<'p>], grant: &Grant) -> Vec<Opening<'p>> {
    let mut openings = Vec::new();
    for route in routes {
        for (bounds, found) in reached(route, grant) {
            openings.push(Opening::of(policy, route, grant, &bounds, &found));
        }
    }
    openings
}

/// The bounds of what `grant` opens of a rule, each with a request if one was found; none that is within another.
pub(crate) fn reached(route: &Route<'_>, grant: &Grant) -> Vec<(Bounds, Search)> {
    let mut reached: Vec<(Bounds, Search)> = Vec::new();
    for action in &grant.actions {
        for resource in &grant.resources {
            let Some(bounds) = Bounds::unify(route, action, resource, &grant.constraints) else { continue };
            let is_known = reached.iter().any(|(known, _)| bounds.is_within(known));
            let found = if is_known { Search::Nothing } else { search(route, &bounds, &[grant]) };
            if found != Search::Nothing {
                reached.retain(|(known, _)| !known.is_within(&bounds));
                reached.push((bounds, found));
            }
        }
    }
    reached
}

impl<'p> Opening<'p> {
    fn of(policy: &'p Policy, route: &Route<'p>, grant: &Grant, bounds: &Bounds, found: &Search) -> Self {
        let rule = route.rule;
        let (action, resource) = match &route.meaning {
            Some(meaning) => (
                narrowed::template(route, &meaning.action, bounds),
                format!("{}://{}", meaning.scheme, narrowed::template(route, &meaning.resource, bounds)),
            ),
            None => (String::new(), String::new()),
        };
        let params = rule.params.iter().map(|(name, param)| OpenParam {
            name,
            from: &param.from,
            kind: param.kind,
            must: grant.constraints.get(name).cloned(),
        });
        Self {
            host: route.host,
            rule,
            place: policy.rule_place(route.host_index, route.rule_index),
            path: narrowed::path(route, bounds),
            action,
            resource,
            conditions: narrowed::conditions(route, bounds),
            params: params.collect(),
            except: except(route, bounds, grant),
            example: match found {
                Search::Found(values) => Example::of(route, values),
                Search::Nothing | Search::Unknown => None,
            },
        }
    }
}

/// Narrower templates that take some of these paths.
fn except<'p>(route: &Route<'p>, bounds: &Bounds, grant: &Grant) -> Vec<&'p str> {
    let alone = Route { narrower: Vec::new(), ..route.clone() };
    let takes = |shape: &Shape| {
        let both = bounds.clone().and(&Bounds::of_path(route, shape));
        search(&alone, &both, &[grant]) != Search::Nothing
    };
    route.narrower.iter().filter(|(_, shape)| takes(shape)).map(|(path, _)| *path).collect()
}
