//! Values to try a rule with: few, but such that where none of them will do, mostly none does.

use std::collections::BTreeSet;

use verdict::{
    document::ParamType,
    grant::{Predicates, Scalar},
};

use super::{bounds::Bound, route::Route, wildcard::Wildcard};

/// Values of one source that are within its bounds.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) texts: Vec<String>,
    /// Without any of them, no value is within the bounds.
    pub(crate) none_is_proof: bool,
    /// Where a request with none of them will do, no request with any other will.
    pub(crate) exhaustive: bool,
}

/// Values of `source` in requests of `route`.
pub(crate) fn values(route: &Route<'_>, source: &str, bounds: &[Bound]) -> Values {
    let is_rest = route.shape.rest.as_ref().is_some_and(|rest| source.strip_prefix("path.") == Some(rest));
    let mut values = match listed(bounds) {
        Some(texts) => Values { texts, none_is_proof: true, exhaustive: true },
        None if is_rest => segments(route, bounds),
        None => open(route, source, bounds),
    };
    let semicolon = |text: &String| route.is_lenient() && text.contains(';') && source.starts_with("path.");
    if values.texts.iter().any(semicolon) {
        // Where a `;` is no more than a character, the verdict holds it against other rules as well.
        values.texts.retain(|text| !semicolon(text));
        (values.none_is_proof, values.exhaustive) = (false, false);
    }
    values.texts.retain(|text| {
        let segments = if is_rest { text.split('/').collect() } else { vec![text.as_str()] };
        segments.iter().all(|segment| can_be(route, source, segment))
            && bounds.iter().all(|bound| bound.has(text))
    });
    values
}

/// The only candidates, where a bound leaves few.
fn listed(bounds: &[Bound]) -> Option<Vec<String>> {
    bounds.iter().find_map(|bound| match bound {
        Bound::Fits(pattern) => pattern.exact().map(|text| vec![text.to_owned()]),
        Bound::Segments { fixed, open: false } => {
            let exact: Option<Vec<&str>> = fixed.iter().map(Wildcard::exact).collect();
            exact.map(|segments| vec![segments.join("/")])
        }
        Bound::OneOf(texts) => Some(texts.clone()),
        Bound::Segments { .. } | Bound::Holds(_, ParamType::Number) => None,
        Bound::Holds(_, ParamType::Boolean) => Some(vec!["true".to_owned(), "false".to_owned()]),
        Bound::Holds(predicates, ParamType::String) => {
            let texts: Vec<String> = mentioned(predicates).collect();
            let is_finite = predicates.eq.is_some() || !predicates.one_of.is_empty();
            // A number in a predicate of text holds for none.
            let numeric = predicates.min.is_some() || predicates.max.is_some();
            (is_finite || numeric).then_some(texts)
        }
    })
}

/// The texts of `eq` and `in`.
fn mentioned(predicates: &Predicates) -> impl Iterator<Item = String> {
    predicates.eq.iter().chain(&predicates.one_of).map(|scalar| match scalar {
        Scalar::String(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Boolean(truth) => truth.to_string(),
    })
}

/// Any value that patterns, globs and numbers leave.
fn open(route: &Route<'_>, source: &str, bounds: &[Bound]) -> Values {
    let patterns: Vec<&Wildcard> = bounds
        .iter()
        .filter_map(|bound| match bound {
            Bound::Fits(pattern) => Some(pattern),
            Bound::OneOf(_) | Bound::Segments { .. } | Bound::Holds(..) => None,
        })
        .collect();
    let held: Vec<(&Predicates, ParamType)> = bounds
        .iter()
        .filter_map(|bound| match bound {
            Bound::Holds(predicates, kind) => Some((predicates, *kind)),
            Bound::Fits(_) | Bound::OneOf(_) | Bound::Segments { .. } => None,
        })
        .collect();
    let mut texts = fitting(&patterns, &route.taken());
    for (predicates, kind) in &held {
        texts.extend(suggested(predicates, *kind));
    }
    let all_numbers = held.iter().all(|(_, kind)| *kind == ParamType::Number);
    let one_kind = patterns.is_empty() && (held.len() == 1 || all_numbers);
    Values {
        texts,
        none_is_proof: held.is_empty() || one_kind,
        // A number has several notations, and a glob many texts: another of them may be a path of this rule.
        exhaustive: held.is_empty() || (one_kind && !source.starts_with("path.")),
    }
}

/// Texts of all patterns; none only if there is none. The first is no literal of another rule.
fn fitting(patterns: &[&Wildcard], taken: &BTreeSet<&str>) -> Vec<String> {
    let longest =
        |ends: Vec<&'_ str>| ends.into_iter().max_by_key(|end| end.len()).unwrap_or_default().to_owned();
    // Between a common beginning and a common end there is room for a text that overlaps with neither.
    let before = longest(patterns.iter().map(|pattern| pattern.ends().0).collect());
    let after = longest(patterns.iter().map(|pattern| pattern.ends().1).collect());
    let padded = |padding: usize| format!("{before}{}{after}", "x".repeat(padding));
    let fresh = (1..).map(padded).find(|text| !taken.contains(text.as_str()));
    fresh
        .into_iter()
        .chain([padded(0)])
        .filter(|text| patterns.iter().all(|pattern| pattern.matches(text)))
        .collect()
}

/// Values at the edges of what predicates hold.
fn suggested(predicates: &Predicates, kind: ParamType) -> Vec<String> {
    let mut texts: Vec<String> = mentioned(predicates).collect();
    match kind {
        ParamType::Number => {
            texts.extend(predicates.min.iter().chain(&predicates.max).map(ToString::to_string));
            texts.push("1".to_owned());
        }
        ParamType::String | ParamType::Boolean => {
            let globs = || predicates.glob.iter().map(|glob| glob.as_str());
            texts.extend(globs().flat_map(|glob| [glob.replace('*', "x"), glob.replace('*', "")]));
        }
    }
    texts
}

/// Values of a rest: of each length that makes a difference.
fn segments(route: &Route<'_>, bounds: &[Bound]) -> Values {
    let (mut patterns, mut least, mut most) = (Vec::new(), 1, usize::MAX);
    for bound in bounds {
        if let Bound::Segments { fixed, open } = bound {
            patterns.push(fixed);
            least = least.max(fixed.len().saturating_add(usize::from(*open)));
            most = most.min(if *open { usize::MAX } else { fixed.len() });
        }
    }
    let taken = route.taken();
    let longest = least.max(route.depth()).min(most);
    let text = |length: usize| -> Option<String> {
        let segment = |at| {
            let here: Vec<&Wildcard> = patterns.iter().filter_map(|fixed| fixed.get(at)).collect();
            match here.iter().find_map(|pattern| pattern.exact()) {
                Some(exact) => Some(exact.to_owned()),
                None => fitting(&here, &taken).into_iter().next(),
            }
        };
        (0..length).map(segment).collect::<Option<Vec<_>>>().map(|segments| segments.join("/"))
    };
    let mut texts: Vec<String> = (least..=longest).filter_map(text).collect();
    let held = bounds.iter().filter_map(|bound| match bound {
        Bound::Holds(predicates, kind) => Some(suggested(predicates, *kind)),
        Bound::Fits(_) | Bound::OneOf(_) | Bound::Segments { .. } => None,
    });
    let held: Vec<String> = held.flatten().collect();
    let is_free = held.is_empty();
    texts.extend(held);
    Values { texts, none_is_proof: is_free, exhaustive: is_free }
}

/// Whether a request that the verdict does not refuse can have `text` there.
fn can_be(route: &Route<'_>, source: &str, text: &str) -> bool {
    let is_path = source.starts_with("path.");
    let forbidden: &[char] = match (is_path, route.substitutes(source)) {
        (_, true) => &['/', '\\', '%', '*'],
        (true, false) => &['/', '\\', '%'],
        (false, false) => &[],
    };
    let is_some = !text.is_empty() || !(is_path || route.substitutes(source));
    let is_dots = is_path && matches!(text, "." | "..");
    let is_cut = is_path && text.contains(';') && !route.is_lenient();
    let is_field = source.strip_prefix("header.").is_none_or(|name| {
        !overrides_target(name) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
    });
    is_some
        && !is_dots
        && !is_cut
        && is_field
        && !text.chars().any(|c| c.is_control() || forbidden.contains(&c))
}

/// Whether a request with this header field asks for another method or path, and is refused whatever it says.
fn overrides_target(name: &str) -> bool {
    name.starts_with("x-http-method")
        || matches!(name, "x-method-override" | "x-original-url" | "x-rewrite-url")
}
