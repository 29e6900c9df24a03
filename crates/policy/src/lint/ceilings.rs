//! Ceilings that cover no request.

use verdict::grant::{ActionPattern, ResourcePattern};

use super::{
    context::{Bounded, Context, finding},
    finding::{Code, Finding},
};
use crate::scope::{Bounds, Route};

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for bounded in &context.ceilings {
        if bounded.reached.is_empty() {
            let what =
                format!("a ceiling of client `{}` opens nothing: {}", bounded.client, why(context, bounded));
            let advice = "correct it after the rules of the hosts it is for, or remove it";
            findings.push(finding(Code::CeilingUnreachable, bounded.place, what, advice));
        } else {
            unreachable_patterns(context, bounded, findings);
        }
    }
}

/// The nearest miss.
fn why(context: &Context<'_>, bounded: &Bounded<'_>) -> String {
    let grant = &bounded.ceiling.grant;
    let yields = |route: &Route<'_>, action: &ActionPattern, resource: Option<&ResourcePattern>| {
        let scheme = route.meaning.as_ref().map(|meaning| format!("{}://**", meaning.scheme));
        let any: Option<ResourcePattern> = scheme.and_then(|any| any.parse().ok());
        let resource = resource.or(any.as_ref());
        resource.is_some_and(|resource| Bounds::unify(route, action, resource, &Default::default()).is_some())
    };
    let of_action = |route: &Route<'_>| grant.actions.iter().any(|action| yields(route, action, None));
    let in_scope = |route: &Route<'_>| {
        let actions = grant.actions.iter();
        actions
            .flat_map(|action| grant.resources.iter().map(move |resource| (action, resource)))
            .any(|(action, resource)| yields(route, action, Some(resource)))
    };
    let with_action: Vec<&Route<'_>> = context.routes.iter().filter(|route| of_action(route)).collect();
    let with_both: Vec<&Route<'_>> = with_action.iter().copied().filter(|route| in_scope(route)).collect();
    let lacks = |name: &&String| with_both.iter().all(|route| !route.rule.params.contains_key(*name));
    if with_action.is_empty() {
        return "no rule yields any of its actions".to_owned();
    }
    if with_both.is_empty() {
        let yields = verb(&with_action, "yields", "yield");
        return format!("{} {yields} such an action, but on other resources", some(&with_action));
    }
    match grant.constraints.keys().find(lacks) {
        Some(name) => {
            let has = verb(&with_both, "has", "have");
            format!("{} {has} no parameter `{name}`, which it constrains", some(&with_both))
        }
        None => format!("no request of {} is within all of its constraints", some(&with_both)),
    }
}

fn verb(routes: &[&Route<'_>], of_one: &'static str, of_many: &'static str) -> &'static str {
    if routes.len() == 1 { of_one } else { of_many }
}

fn some(routes: &[&Route<'_>]) -> String {
    match routes {
        [] => String::new(),
        [route] => format!("the rule {}", route.name()),
        [route, ..] => format!("{} rules, such as {},", routes.len(), route.name()),
    }
}

/// Patterns of which a ceiling that opens something has no use.
fn unreachable_patterns(context: &Context<'_>, bounded: &Bounded<'_>, findings: &mut Vec<Finding>) {
    let grant = &bounded.ceiling.grant;
    let advice = "correct it after the rules, or remove it";
    let mut tell = |kind: &str, pattern: &str| {
        let what = format!(
            "`{pattern}` in a ceiling of client `{}` opens nothing: no rule yields such {kind} with the rest of it",
            bounded.client
        );
        findings.push(finding(Code::PatternUnreachable, bounded.place, what, advice));
    };
    let opens = |actions: &[ActionPattern], resources: &[ResourcePattern]| {
        let narrow =
            verdict::Grant { actions: actions.to_vec(), resources: resources.to_vec(), ..grant.clone() };
        context.routes.iter().any(|route| !crate::scope::reached(route, &narrow).is_empty())
    };
    if grant.actions.len() > 1 {
        for action in &grant.actions {
            if !opens(std::slice::from_ref(action), &grant.resources) {
                tell("an action", action.as_str());
            }
        }
    }
    if grant.resources.len() > 1 {
        for resource in &grant.resources {
            if !opens(&grant.actions, std::slice::from_ref(resource)) {
                tell("a resource", resource.as_str());
            }
        }
    }
}
