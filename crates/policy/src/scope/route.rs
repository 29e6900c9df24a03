//! Rules, taken apart for analysis.

use std::collections::BTreeSet;

use verdict::{
    document::{HostDocument, Leniency, RuleDocument},
    grant::{Constraints, Grant, GrantType},
};

use super::{
    shape::{Shape, Step},
    template::{self, Part},
};
use crate::policy::Policy;

/// The action of a rule that needs no token.
const NO_ACTION: &str = "none";

/// A rule among those of its host.
#[derive(Clone, Debug)]
pub(crate) struct Route<'p> {
    /// Index of its host in the policy.
    pub(crate) host_index: usize,
    /// Index of the rule in the host.
    pub(crate) rule_index: usize,
    pub(crate) host: &'p HostDocument,
    pub(crate) rule: &'p RuleDocument,
    pub(crate) shape: Shape,
    /// Templates of the host that take some of this rule's paths, whatever their methods.
    pub(crate) narrower: Vec<(&'p str, Shape)>,
    /// What its requests mean; `None` where no token is needed.
    pub(crate) meaning: Option<Meaning>,
}

/// Templates of a rule's meaning.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    pub(crate) action: Vec<Part>,
    pub(crate) scheme: String,
    /// What follows `scheme://`.
    pub(crate) resource: Vec<Part>,
    /// The source that is several segments.
    pub(crate) rest: Option<String>,
}

/// Every rule of a policy.
pub(crate) fn routes(policy: &Policy) -> Vec<Route<'_>> {
    policy.hosts().iter().enumerate().flat_map(|(index, host)| routes_of(index, host)).collect()
}

fn routes_of(host_index: usize, host: &HostDocument) -> Vec<Route<'_>> {
    let shapes: Vec<(&str, Shape)> =
        host.rules.iter().map(|rule| (rule.path.as_str(), Shape::of(&rule.path))).collect();
    let routes = host.rules.iter().zip(&shapes).enumerate().map(|(rule_index, (rule, (_, shape)))| {
        let mut narrower: Vec<(&str, Shape)> = Vec::new();
        for (path, other) in &shapes {
            // Rules of one path differ in the method, and are told once.
            let is_known = narrower.iter().any(|(known, _)| known == path);
            if !is_known && other.is_tried_before(shape) && other.meets(shape) {
                narrower.push((*path, other.clone()));
            }
        }
        let meaning = Meaning::of(rule, shape);
        Route { host_index, rule_index, host, rule, shape: shape.clone(), narrower, meaning }
    });
    routes.collect()
}

impl Route<'_> {
    /// Whether no token is needed.
    pub(crate) fn is_exempt(&self) -> bool {
        self.rule.action == NO_ACTION
    }

    /// Whether a path of this shape comes to this rule's shape, and to no narrower one.
    pub(crate) fn owns(&self, segments: &[&str]) -> bool {
        self.shape.fits(segments) && !self.narrower.iter().any(|(_, other)| other.fits(segments))
    }

    /// Literal segments of narrower rules: a value that is none of these goes to them only where any value does.
    pub(crate) fn taken(&self) -> BTreeSet<&str> {
        let steps = self.narrower.iter().flat_map(|(_, shape)| &shape.steps);
        let literals = steps.filter_map(|step| match step {
            Step::Literal(literal) => Some(literal.as_str()),
            Step::Capture(_) => None,
        });
        literals.collect()
    }

    /// Segments of the longest path whose length matters: any longer one goes where this does.
    pub(crate) fn depth(&self) -> usize {
        let others = self.narrower.iter().map(|(_, shape)| shape.depth());
        others.chain([self.shape.depth()]).max().unwrap_or(0).saturating_add(1)
    }

    /// A grant of all that its requests can mean; `None` where no token is needed.
    pub(crate) fn widest_grant(&self) -> Option<Grant> {
        let meaning = self.meaning.as_ref()?;
        let action = match meaning.action.as_slice() {
            [Part::Text(action)] => action.clone(),
            [Part::Text(stem), ..] => format!("{stem}*"),
            // The namespace is never a placeholder.
            _ => return None,
        };
        Some(Grant {
            kind: GrantType::TaskGrant,
            id: None,
            actions: vec![action.parse().ok()?],
            resources: vec![format!("{}://**", meaning.scheme).parse().ok()?],
            constraints: Constraints::new(),
            limits: None,
        })
    }

    /// Whether `;` is an ordinary character of the host.
    pub(crate) fn is_lenient(&self) -> bool {
        self.host.allow.contains(&Leniency::Semicolon)
    }

    /// Whether action or resource is made of the value of `source`.
    pub(crate) fn substitutes(&self, source: &str) -> bool {
        self.meaning.as_ref().is_some_and(|meaning| meaning.sources().any(|used| used == source))
    }
}

impl Meaning {
    fn of(rule: &RuleDocument, shape: &Shape) -> Option<Self> {
        let (scheme, resource) = rule.resource.as_deref()?.split_once("://")?;
        Some(Self {
            action: template::parts(&rule.action, shape),
            scheme: scheme.to_owned(),
            resource: template::parts(resource, shape),
            rest: shape.rest.as_ref().map(|name| format!("path.{name}")),
        })
    }

    /// The sources of all values in it; some perhaps twice.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        template::sources(&self.action).chain(template::sources(&self.resource))
    }
}
