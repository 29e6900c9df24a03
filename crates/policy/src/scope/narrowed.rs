//! Templates with what a grant leaves of their placeholders, to be read.

use verdict::document::ParamType;

use super::{
    bounds::{Bound, Bounds},
    opening::Condition,
    route::Route,
    shape::Step,
    template::Part,
    wildcard::Wildcard,
};

/// The rule's path.
pub(super) fn path(route: &Route<'_>, bounds: &Bounds) -> String {
    let mut path = String::new();
    for step in &route.shape.steps {
        path.push('/');
        match step {
            Step::Literal(literal) => path.push_str(literal),
            Step::Capture(name) => path.push_str(&value(route, &format!("path.{name}"), bounds)),
        }
    }
    if let Some(name) = &route.shape.rest {
        path.push('/');
        path.push_str(&value(route, &format!("path.{name}"), bounds));
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// An action or a resource.
pub(super) fn template(route: &Route<'_>, parts: &[Part], bounds: &Bounds) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Value(source) => value(route, source, bounds),
    };
    parts.iter().map(text).collect()
}

/// What the path does not show, of values that are substituted: those from elsewhere, and those with several patterns.
pub(super) fn conditions(route: &Route<'_>, bounds: &Bounds) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (source, all) in &bounds.of {
        if source.starts_with("path.") && narrowed(route, source, all).is_some() {
            continue;
        }
        for bound in all {
            let is = match bound {
                Bound::Fits(pattern) => pattern.to_string(),
                Bound::Segments { fixed, open } => segments(fixed, open.then_some("**")),
                // Shown with the text, or with the parameter.
                Bound::OneOf(_) | Bound::Holds(..) => continue,
            };
            conditions.push(Condition { of: source.clone(), is });
        }
    }
    let joint = bounds.joint.iter().map(|(parts, pattern)| {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(source) => format!("{{{source}}}"),
        };
        Condition { of: parts.iter().map(text).collect(), is: pattern.to_string() }
    });
    conditions.extend(joint);
    conditions
}

/// A placeholder, or what is known of its value.
fn value(route: &Route<'_>, source: &str, bounds: &Bounds) -> String {
    let known = bounds.of.get(source).and_then(|bounds| narrowed(route, source, bounds));
    known.unwrap_or_else(|| {
        let name = source.strip_prefix("path.").unwrap_or(source);
        if is_rest(route, source) { format!("{{*{name}}}") } else { format!("{{{name}}}") }
    })
}

/// The one text or pattern that says all of what the bounds say, or all but what a parameter says.
fn narrowed(route: &Route<'_>, source: &str, bounds: &[Bound]) -> Option<String> {
    let exact = bounds.iter().find_map(|bound| match bound {
        Bound::Fits(pattern) => pattern.exact(),
        Bound::Holds(predicates, ParamType::String) => match &predicates.eq {
            // What would read as a pattern is left to its parameter.
            Some(verdict::grant::Scalar::String(text)) if !text.contains(['*', '{', '}', '/']) => Some(text),
            _ => None,
        },
        Bound::OneOf(_) | Bound::Holds(..) | Bound::Segments { .. } => None,
    });
    if let Some(exact) = exact {
        return Some(exact.to_owned());
    }
    let mut patterns = bounds.iter().filter(|bound| !matches!(bound, Bound::OneOf(_) | Bound::Holds(..)));
    match (patterns.next(), patterns.next()) {
        (Some(Bound::Fits(pattern)), None) => Some(pattern.to_string()),
        (Some(Bound::Segments { fixed, open }), None) => {
            let name = source.strip_prefix("path.").unwrap_or(source);
            let rest = format!("{{*{name}}}");
            Some(segments(fixed, (*open && is_rest(route, source)).then_some(rest.as_str())))
        }
        _ => None,
    }
}

fn segments(fixed: &[Wildcard], rest: Option<&str>) -> String {
    let fixed = fixed.iter().map(ToString::to_string);
    fixed.chain(rest.map(str::to_owned)).collect::<Vec<_>>().join("/")
}

fn is_rest(route: &Route<'_>, source: &str) -> bool {
    route.shape.rest.as_deref().is_some_and(|rest| source.strip_prefix("path.") == Some(rest))
}
