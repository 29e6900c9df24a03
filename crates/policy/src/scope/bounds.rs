//! What the values of a request must be for a grant to cover it.

use std::collections::BTreeMap;

use verdict::{
    document::ParamType,
    grant::{ActionPattern, Constraints, Predicates, ResourcePattern, Scalar},
};

use super::{
    route::{Meaning, Route},
    shape::{Shape, Step},
    splits::splits,
    template::{self, Part},
    wildcard::{Fit, Wildcard},
};

/// What one value must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    /// Text of this pattern.
    Fits(Wildcard),
    /// Several segments: these, and if it is open one or more after them.
    Segments { fixed: Vec<Wildcard>, open: bool },
    /// One of these texts.
    OneOf(Vec<String>),
    /// A parameter of this type that satisfies these.
    Holds(Predicates, ParamType),
}

/// What all values of a request must be, for one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bounds {
    /// By source.
    pub(crate) of: BTreeMap<String, Vec<Bound>>,
    /// What several values must be together.
    pub(crate) joint: Vec<(Vec<Part>, Wildcard)>,
}

impl Bound {
    /// Whether `text` is within it.
    pub(crate) fn has(&self, text: &str) -> bool {
        match self {
            Self::Fits(pattern) => pattern.matches(text),
            Self::OneOf(texts) => texts.iter().any(|known| known == text),
            Self::Segments { fixed, open } => {
                let segments: Vec<&str> = text.split('/').collect();
                let length_fits =
                    if *open { segments.len() > fixed.len() } else { segments.len() == fixed.len() };
                length_fits && fixed.iter().zip(segments).all(|(pattern, segment)| pattern.matches(segment))
            }
            Self::Holds(predicates, kind) => typed(text, *kind).is_some_and(|value| predicates.hold(&value)),
        }
    }
}

/// A parameter's text as the verdict reads it: `None` where it is no value of its type.
pub(crate) fn typed(text: &str, kind: ParamType) -> Option<Scalar> {
    match kind {
        ParamType::String => Some(text.into()),
        ParamType::Number => text.parse().ok().map(Scalar::Number),
        ParamType::Boolean => text.parse().ok().map(Scalar::Boolean),
    }
}

impl Bounds {
    /// What requests of `route` must be to have an action of `action`, a resource of `resource` and parameters within
    /// `constraints`. `None` where no request has.
    pub(crate) fn unify(
        route: &Route<'_>,
        action: &ActionPattern,
        resource: &ResourcePattern,
        constraints: &Constraints,
    ) -> Option<Self> {
        let meaning = route.meaning.as_ref()?;
        let mut bounds = Self::default();
        bounds.fit(&meaning.action, &Wildcard::of(action.as_str()))?;
        bounds.fit_resource(meaning, resource)?;
        for (name, predicates) in constraints {
            // A constrained parameter that a request does not have is outside the constraint.
            let param = route.rule.params.get(name)?;
            bounds.add(&param.from, Bound::Holds(predicates.clone(), param.kind));
        }
        Some(bounds)
    }

    /// What requests of `route` must be for their paths to have `shape` as well.
    pub(crate) fn of_path(route: &Route<'_>, shape: &Shape) -> Self {
        let mut bounds = Self::default();
        let wanted = |step: &Step| match step {
            Step::Literal(literal) => Wildcard::literal(literal),
            Step::Capture(_) => Wildcard::of("*"),
        };
        for (own, step) in route.shape.steps.iter().zip(&shape.steps) {
            if let (Step::Capture(name), Step::Literal(_)) = (own, step) {
                bounds.add(&format!("path.{name}"), Bound::Fits(wanted(step)));
            }
        }
        let fixed: Vec<Wildcard> = shape.steps.iter().skip(route.shape.steps.len()).map(wanted).collect();
        if let (Some(name), false) = (&route.shape.rest, fixed.is_empty()) {
            bounds.add(&format!("path.{name}"), Bound::Segments { fixed, open: shape.rest.is_some() });
        }
        bounds
    }

    /// Whether what is within these is surely within `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let implies = |ours: &[Bound], theirs: &Bound| {
            ours.iter().any(|bound| match (bound, theirs) {
                (Bound::Fits(ours), Bound::Fits(theirs)) => ours.covered_by(theirs),
                _ => bound == theirs,
            })
        };
        other.joint.iter().all(|joint| self.joint.contains(joint))
            && other.of.iter().all(|(source, theirs)| {
                let ours = self.of.get(source).map(Vec::as_slice).unwrap_or_default();
                theirs.iter().all(|bound| implies(ours, bound))
            })
    }

    /// Whether what several values must be together leaves each of them few texts.
    pub(crate) fn joins_listed(&self) -> bool {
        let is_listed = |source: &str| {
            let bounds = self.of.get(source).map(Vec::as_slice).unwrap_or_default();
            bounds.iter().any(|bound| matches!(bound, Bound::OneOf(_)))
        };
        self.joint.iter().all(|(parts, _)| template::sources(parts).all(is_listed))
    }

    /// What satisfies both.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (source, bounds) in &other.of {
            for bound in bounds {
                self.add(source, bound.clone());
            }
        }
        for joint in &other.joint {
            if !self.joint.contains(joint) {
                self.joint.push(joint.clone());
            }
        }
        self
    }

    fn fit_resource(&mut self, meaning: &Meaning, pattern: &ResourcePattern) -> Option<()> {
        let (scheme, wanted) = pattern.as_str().split_once("://")?;
        if scheme != meaning.scheme {
            return None;
        }
        let (wanted, open) = match wanted.strip_suffix("**") {
            Some(fixed) => (fixed.strip_suffix('/').unwrap_or(fixed), true),
            None => (wanted, false),
        };
        let wanted: Vec<Wildcard> =
            wanted.split('/').filter(|segment| !segment.is_empty()).map(Wildcard::of).collect();
        let mut segments = template::segments(&meaning.resource);
        let rest = match segments.last().map(Vec::as_slice) {
            Some([Part::Value(source)]) if meaning.rest.as_ref() == Some(source) => Some(source.clone()),
            _ => None,
        };
        if rest.is_some() {
            segments.pop();
        }
        let left = wanted.get(segments.len()..).unwrap_or_default().to_vec();
        let fits = match (&rest, open) {
            (None, false) => segments.len() == wanted.len(),
            (None, true) => segments.len() > wanted.len(),
            (Some(_), false) => !left.is_empty(),
            (Some(_), true) => true,
        };
        if !fits {
            return None;
        }
        for (segment, pattern) in segments.iter().zip(&wanted) {
            self.fit(segment, pattern)?;
        }
        // One segment or more, of any text, is what a rest always is.
        if let Some(source) = rest.filter(|_| !(open && left.is_empty())) {
            self.add(&source, Bound::Segments { fixed: left, open });
        }
        Some(())
    }

    fn fit(&mut self, parts: &[Part], pattern: &Wildcard) -> Option<()> {
        match pattern.fit(parts) {
            Fit::Never => return None,
            Fit::Always => {}
            Fit::If(source, pattern) => self.add(&source, Bound::Fits(pattern)),
            Fit::Jointly => {
                if let Some(values) = pattern.exact().and_then(|text| splits(parts, text)) {
                    if values.is_empty() {
                        return None;
                    }
                    values.into_iter().for_each(|(source, texts)| self.add(&source, Bound::OneOf(texts)));
                }
                self.joint.push((parts.to_vec(), pattern.clone()));
            }
        }
        Some(())
    }

    fn add(&mut self, source: &str, bound: Bound) {
        let bounds = self.of.entry(source.to_owned()).or_default();
        if !bounds.contains(&bound) {
            bounds.push(bound);
        }
    }
}
