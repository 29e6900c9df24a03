//! What a request means in the words of grants, by the templates of its rule.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    pattern::{Captured, PathPattern},
    rule::RuleError,
    source::{Source, Target, Value},
    template::Template,
};
use crate::{
    denial::Refusal,
    document::{BodyDocument, ParamDocument, ParamType, RuleDocument},
    grant::{Scalar, action, predicate::is_parameter_name, resource::ResourcePattern},
    json::{self, Pointer},
    request::body::Content,
};

/// The part of a rule that says what its requests mean.
#[derive(Debug)]
pub(super) struct MeaningTemplate {
    action: Template,
    resource: Template,
    params: Vec<(String, Source, ParamType)>,
    /// What is looked for in a JSON body.
    pointers: Vec<Pointer>,
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
    pub(super) fn fill(&self, target: &Target<'_>, content: &Content<'_>) -> Result<Meaning, Refusal> {
        let Self { action, resource, params, pointers: _ } = self;
        let mut values = Vec::with_capacity(params.len());
        for (name, source, kind) in params {
            let value = source.read(target, content)?;
            values.push((name.clone(), value.and_then(|value| typed(&value, *kind))));
        }
        let action = action.render_action(target, content)?;
        let resource = resource.render_resource(target, content)?;
        Ok(Meaning { action, resource, params: values })
    }

    /// What is looked for in a JSON body.
    pub(super) fn pointers(&self) -> &[Pointer] {
        &self.pointers
    }

    /// Compiles the members of `document` that say what its requests mean.
    pub(super) fn compile(
        action: &str,
        resource: &str,
        document: &RuleDocument,
        pattern: &PathPattern,
    ) -> Result<Self, RuleError> {
        let mut pointers = Vec::new();
        let action = Template::parse(action, pattern, &mut pointers)
            .map_err(|reason| RuleError::new("action", reason))?;
        action::check_action(&action.sample("x"))
            .map_err(|reason| RuleError::new("action", reason.to_string()))?;
        // The namespace says who may claim an action, so no request chooses it.
        if !action.sample("{").split('{').next().is_some_and(|literal| literal.contains(':')) {
            return Err(RuleError::new("action", "the namespace before `:` is not a placeholder"));
        }
        if action.sources().any(|source| matches!(source, Source::Path(Captured::Rest(_)))) {
            return Err(RuleError::new("action", "`{*name}` is several segments, and an action is none"));
        }
        let resource = Template::parse(resource, pattern, &mut pointers)
            .map_err(|reason| RuleError::new("resource", reason))?;
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
        let mut compiled = Vec::with_capacity(document.params.len());
        for (name, ParamDocument { from, kind }) in &document.params {
            let field = |member: &str| format!("params.{name}{member}");
            if !is_parameter_name(name) {
                return Err(RuleError::new(
                    field(""),
                    "a parameter name has 1 to 64 letters, digits and `_.-`",
                ));
            }
            let source = Source::parse(from, pattern, &mut pointers)
                .map_err(|reason| RuleError::new(field(".from"), reason))?;
            compiled.push((name.clone(), source, *kind));
        }
        let of_action = action.sources().map(|source| (String::from("action"), source));
        let of_resource = resource.sources().map(|source| (String::from("resource"), source));
        let of_params = compiled.iter().map(|(name, source, _)| (format!("params.{name}"), source));
        for (field, source) in of_action.chain(of_resource).chain(of_params) {
            check_declared(source, document).map_err(|reason| RuleError::new(field, reason))?;
        }
        Ok(Self { action, resource, params: compiled, pointers })
    }
}

/// Whether the rule says that its requests have such a place at all.
fn check_declared(source: &Source, document: &RuleDocument) -> Result<(), String> {
    match source {
        Source::Query(name) if !document.query.contains_key(name) => {
            Err(format!("`query.{name}` is not declared under `query`"))
        }
        Source::Form(name) if !document.form.contains_key(name) => {
            Err(format!("`form.{name}` is not declared under `form`"))
        }
        Source::Body(_) if document.body != BodyDocument::Json => {
            Err("reads JSON, and the rule's `body` is not `json`".into())
        }
        _ => Ok(()),
    }
}

/// The value, if it is of the type that the rule declares.
fn typed(value: &Value<'_>, kind: ParamType) -> Option<Scalar> {
    match (value, kind) {
        (Value::Plain(text) | Value::Json(json::Scalar::Text(text)), ParamType::String) => {
            Some((&**text).into())
        }
        (Value::Plain(text), ParamType::Number) => number(text),
        (Value::Json(json::Scalar::Number(text)), ParamType::Number) => number(text),
        (Value::Plain(text), ParamType::Boolean) => match &**text {
            "true" => Some(Scalar::Boolean(true)),
            "false" => Some(Scalar::Boolean(false)),
            _ => None,
        },
        (Value::Json(json::Scalar::Boolean(value)), ParamType::Boolean) => Some(Scalar::Boolean(*value)),
        (Value::Json(_), _) => None,
    }
}

/// Exact, and without an exponent.
fn number(text: &str) -> Option<Scalar> {
    text.parse().ok().map(Scalar::Number)
}
