//! What a request means in the words of grants, by the templates of its rule.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    pattern::{Captured, PathPattern},
    rule::RuleError,
    source::{Source, Target},
    template::Template,
};
use crate::{
    denial::Refusal,
    document::{ParamDocument, ParamType, Presence},
    grant::{Scalar, action, predicate::is_parameter_name, resource::ResourcePattern},
};

/// The part of a rule that says what its requests mean.
#[derive(Debug)]
pub(super) struct MeaningTemplate {
    action: Template,
    resource: Template,
    params: Vec<(String, Source, ParamType)>,
}

/// What a request means in the words of grants.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Name to value; `None` where the value is absent or of another type, which satisfies no constraint.
    params: Vec<(String, Option<Scalar>)>,
}

impl Meaning {
    pub(crate) fn parameter(&self, name: &str) -> Option<&Scalar> {
        self.params.iter().find(|(own, _)| own == name).and_then(|(_, value)| value.as_ref())
    }
}

impl MeaningTemplate {
    /// What one request means.
    pub(super) fn fill(&self, target: &Target<'_>) -> Result<Meaning, Refusal> {
        let Self { action, resource, params } = self;
        let mut values = Vec::with_capacity(params.len());
        for (name, source, kind) in params {
            values.push((name.clone(), source.read(target)?.and_then(|text| typed(&text, *kind))));
        }
        let (action, resource) = (action.render_action(target)?, resource.render_resource(target)?);
        Ok(Meaning { action, resource, params: values })
    }

    pub(super) fn compile(
        action: &str,
        resource: &str,
        params: &BTreeMap<String, ParamDocument>,
        pattern: &PathPattern,
        query: &BTreeMap<String, Presence>,
    ) -> Result<Self, RuleError> {
        let action = Template::parse(action, pattern).map_err(|reason| RuleError::new("action", reason))?;
        action::check_action(&action.sample("x"))
            .map_err(|reason| RuleError::new("action", reason.to_string()))?;
        // The namespace says who may claim an action, so no request chooses it.
        if !action.sample("{").split('{').next().is_some_and(|literal| literal.contains(':')) {
            return Err(RuleError::new("action", "the namespace before `:` is not a placeholder"));
        }
        if action.sources().any(|source| matches!(source, Source::Path(Captured::Rest(_)))) {
            return Err(RuleError::new("action", "`{*name}` is several segments, and an action is none"));
        }
        let resource =
            Template::parse(resource, pattern).map_err(|reason| RuleError::new("resource", reason))?;
        let sample = resource.sample("x");
        let is_plain = |text: &str| !text.contains('*') && text.parse::<ResourcePattern>().is_ok();
        if !is_plain(&sample)
            || resource.sample("{").split("://").next().is_some_and(|scheme| scheme.contains('{'))
        {
            return Err(RuleError::new(
                "resource",
                "not `scheme://authority[/segment...]` with placeholders after the scheme",
            ));
        }
        if resource.misplaces_rest() {
            return Err(RuleError::new("resource", "`{*name}` is the last segment alone"));
        }
        let mut compiled = Vec::with_capacity(params.len());
        for (name, ParamDocument { from, kind }) in params {
            let field = |member: &str| format!("params.{name}{member}");
            if !is_parameter_name(name) {
                return Err(RuleError::new(
                    field(""),
                    "a parameter name has 1 to 64 letters, digits and `_.-`",
                ));
            }
            let source =
                Source::parse(from, pattern).map_err(|reason| RuleError::new(field(".from"), reason))?;
            compiled.push((name.clone(), source, *kind));
        }
        let of_action = action.sources().map(|source| (String::from("action"), source));
        let of_resource = resource.sources().map(|source| (String::from("resource"), source));
        let of_params = compiled.iter().map(|(name, source, _)| (format!("params.{name}"), source));
        for (field, source) in of_action.chain(of_resource).chain(of_params) {
            if let Source::Query(name) = source
                && !query.contains_key(name)
            {
                return Err(RuleError::new(field, format!("`query.{name}` is not declared under `query`")));
            }
        }
        Ok(Self { action, resource, params: compiled })
    }
}

fn typed(text: &str, kind: ParamType) -> Option<Scalar> {
    match kind {
        ParamType::String => Some(text.into()),
        ParamType::Number => text.parse().ok().map(Scalar::Number),
        ParamType::Boolean => match text {
            "true" => Some(Scalar::Boolean(true)),
            "false" => Some(Scalar::Boolean(false)),
            _ => None,
        },
    }
}
