//! Looking for a request that grants cover.

use std::collections::{BTreeMap, BTreeSet};

use verdict::grant::{Grant, Scalar, action, resource};

use super::{
    bounds::{Bounds, typed},
    route::{Meaning, Route},
    shape::Step,
    template,
    values::{Values, values},
    wildcard::Wildcard,
};

/// Requests that are tried before the search is given up.
const MOST_TRIED: usize = 20_000;
/// Segments of a path that the verdict reads at most.
pub(crate) const MOST_SEGMENTS: usize = 128;

/// Values of a request by source.
pub(crate) type Assignment = BTreeMap<String, String>;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// A request with these values; those of no other sources matter.
    Found(Assignment),
    /// There is none.
    Nothing,
    /// None was found, and that is no proof.
    Unknown,
}

/// Looks for a request that comes to `route`, is within `bounds`, and that each of `grants` covers.
pub(crate) fn search(route: &Route<'_>, bounds: &Bounds, grants: &[&Grant]) -> Search {
    let mut sources: BTreeSet<String> = route.shape.sources().collect();
    sources.extend(bounds.of.keys().cloned());
    sources.extend(route.meaning.iter().flat_map(Meaning::sources).map(str::to_owned));
    let mut choices: Vec<(String, Values)> = Vec::new();
    for source in sources {
        let mut values =
            values(route, &source, bounds.of.get(&source).map(Vec::as_slice).unwrap_or_default());
        if values.texts.is_empty() && values.none_is_proof {
            return Search::Nothing;
        }
        let joint =
            bounds.joint.iter().filter(|(parts, _)| template::sources(parts).any(|used| used == source));
        values.texts.extend(joint.flat_map(|(_, pattern)| pieces(pattern)));
        choices.push((source, values));
    }
    let is_exhaustive = bounds.joins_listed() && choices.iter().all(|(_, values)| values.exhaustive);
    let mut picks = Picks::new(choices.iter().map(|(_, values)| values.texts.len()).collect());
    for _ in 0..MOST_TRIED {
        let Some(pick) = picks.next() else {
            return if is_exhaustive { Search::Nothing } else { Search::Unknown };
        };
        let chosen = choices.iter().zip(pick).filter_map(|((source, values), at)| {
            values.texts.get(at).map(|text| (source.clone(), text.clone()))
        });
        let assignment: Assignment = chosen.collect();
        if is_covered(route, bounds, grants, &assignment) {
            return Search::Found(assignment);
        }
    }
    Search::Unknown
}

/// The segments of the path with these values.
pub(crate) fn path<'r>(route: &'r Route<'_>, values: &'r Assignment) -> Option<Vec<&'r str>> {
    let value = |name: &str| values.get(&format!("path.{name}")).map(String::as_str);
    let mut segments = Vec::new();
    for step in &route.shape.steps {
        segments.push(match step {
            Step::Literal(literal) => literal.as_str(),
            Step::Capture(name) => value(name)?,
        });
    }
    if let Some(rest) = &route.shape.rest {
        segments.extend(value(rest)?.split('/'));
    }
    Some(segments)
}

fn is_covered(route: &Route<'_>, bounds: &Bounds, grants: &[&Grant], values: &Assignment) -> bool {
    let comes_here =
        path(route, values).is_some_and(|segments| segments.len() <= MOST_SEGMENTS && route.owns(&segments));
    comes_here && means(route, bounds, grants, values).is_some()
}

/// Asks the verdict's own grants, with what a request of these values means.
fn means(route: &Route<'_>, bounds: &Bounds, grants: &[&Grant], values: &Assignment) -> Option<()> {
    let Some(meaning) = &route.meaning else { return grants.is_empty().then_some(()) };
    let value = |source: &str| values.get(source).map(String::as_str);
    let action = template::fill(&meaning.action, value)?;
    let resource = format!("{}://{}", meaning.scheme, template::fill(&meaning.resource, value)?);
    let is_legal = action::check_action(&action).is_ok() && resource.len() <= resource::MAX_LENGTH;
    let has_dots = resource.split('/').skip(2).any(|segment| matches!(segment, "" | "." | ".."));
    let fits = |(parts, pattern): &(Vec<_>, Wildcard)| {
        template::fill(parts, value).is_some_and(|text| pattern.matches(&text))
    };
    if !is_legal || has_dots || !bounds.joint.iter().all(fits) {
        return None;
    }
    let params: BTreeMap<&str, Scalar> = route
        .rule
        .params
        .iter()
        .filter_map(|(name, param)| Some((name.as_str(), typed(value(&param.from)?, param.kind)?)))
        .collect();
    grants.iter().all(|grant| grant.covers(&action, &resource, |name| params.get(name)).is_ok()).then_some(())
}

/// Pieces of a pattern's text, one of which a single one of several values may be.
fn pieces(pattern: &Wildcard) -> Vec<String> {
    let (before, after) = pattern.ends();
    let pieces =
        [before, after].into_iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    let pieces: BTreeSet<&str> = pieces.filter(|piece| !piece.is_empty()).collect();
    pieces.into_iter().map(str::to_owned).collect()
}

/// Every way to pick one of each of some lists, as indices.
struct Picks {
    lengths: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Picks {
    fn new(lengths: Vec<usize>) -> Self {
        let first = lengths.iter().all(|length| *length > 0).then(|| vec![0; lengths.len()]);
        Self { lengths, next: first }
    }
}

impl Iterator for Picks {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let pick = self.next.take()?;
        let mut following = pick.clone();
        for (at, length) in following.iter_mut().zip(&self.lengths) {
            *at = at.saturating_add(1);
            if *at < *length {
                self.next = Some(following);
                break;
            }
            *at = 0;
        }
        Some(pick)
    }
}
