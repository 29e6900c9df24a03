//! Patterns that are too broad, or said twice.

use verdict::grant::{ActionPattern, ResourcePattern};

use super::{
    context::{Bounded, Context, finding},
    finding::{Code, Finding},
};

pub(super) fn lint(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for bounded in &context.ceilings {
        let grant = &bounded.ceiling.grant;
        for action in &grant.actions {
            findings.extend(broad_action(bounded, action));
        }
        for resource in &grant.resources {
            findings.extend(broad_resource(bounded, resource));
        }
        twice(bounded, &grant.actions, ActionPattern::covered_by, ActionPattern::as_str, findings);
        twice(bounded, &grant.resources, ResourcePattern::covered_by, ResourcePattern::as_str, findings);
    }
}

fn broad_action(bounded: &Bounded<'_>, action: &ActionPattern) -> Option<Finding> {
    action.as_str().ends_with(":*").then(|| {
        let what = format!(
            "`{}` in a ceiling of client `{}` is every action of its namespace, of rules to come as well",
            action.as_str(),
            bounded.client
        );
        let advice = "list the actions that its tasks need, or a common beginning such as `s3:Get*`";
        finding(Code::ActionBroad, bounded.place, what, advice)
    })
}

fn broad_resource(bounded: &Bounded<'_>, resource: &ResourcePattern) -> Option<Finding> {
    let authority = resource.as_str().split_once("://").and_then(|(_, rest)| rest.split('/').next());
    matches!(authority, Some("*" | "**")).then(|| {
        let what = format!(
            "`{}` in a ceiling of client `{}` is of any `{}://` there is or will be",
            resource.as_str(),
            bounded.client,
            resource.scheme()
        );
        let advice = "name what follows `://`, such as the bucket or the service";
        finding(Code::ResourceBroad, bounded.place, what, advice)
    })
}

/// Patterns that are within another one of their list.
fn twice<P>(
    bounded: &Bounded<'_>,
    patterns: &[P],
    covered_by: impl Fn(&P, &P) -> bool,
    text: impl Fn(&P) -> &str,
    findings: &mut Vec<Finding>,
) {
    for (index, pattern) in patterns.iter().enumerate() {
        let covers = |(at, other): &(usize, &P)| {
            *at != index && covered_by(pattern, other) && (*at < index || !covered_by(other, pattern))
        };
        if let Some((_, other)) = patterns.iter().enumerate().find(covers) {
            let what = format!(
                "`{}` in a ceiling of client `{}` is within `{}` beside it",
                text(pattern),
                bounded.client,
                text(other)
            );
            findings.push(finding(Code::PatternCovered, bounded.place, what, "remove one of them"));
        }
    }
}
