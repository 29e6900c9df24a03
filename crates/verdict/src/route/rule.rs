//! One rule: a kind of request, and the action, resource and parameters it means.

use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    pattern::{Captured, PathPattern, Segment},
    template::Template,
};
use crate::{
    denial::{DenialCode, Refusal},
    document::{BodyDocument, ParamDocument, ParamType, Presence, RuleDocument},
    grant::{Scalar, action, predicate::is_parameter_name, resource::ResourcePattern},
    request::{
        Body,
        fields::{Fields, Single},
        query::Query,
    },
};

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    method: String,
    pattern: PathPattern,
    query: BTreeMap<String, Presence>,
    body: BodyDocument,
    upgrade: Vec<String>,
    /// `None` where no token is needed.
    meaning: Option<MeaningTemplate>,
}

#[derive(Debug)]
struct MeaningTemplate {
    action: Template,
    resource: Template,
    params: Vec<(String, Source, ParamType)>,
}

/// Why a rule's document does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RuleError {
    /// The member, as in `path` or `params.user.from`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Where in a request a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Path(Captured),
    Query(String),
    Header(String),
}

/// A request whose target has been read.
#[derive(Debug)]
pub(crate) struct Target<'r> {
    pub(crate) segments: Vec<Cow<'r, str>>,
    pub(crate) query: Query<'r>,
    pub(crate) fields: &'r Fields<'r>,
    pub(crate) body: Body,
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

fn error(field: impl Into<String>, reason: impl Into<String>) -> RuleError {
    RuleError { field: field.into(), reason: reason.into() }
}

impl Rule {
    /// Compiles one rule.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn compile(document: &RuleDocument) -> Result<Self, RuleError> {
        let RuleDocument { method, path, query, action, resource, params, body, upgrade } = document;
        check_method(method).map_err(|reason| error("method", reason))?;
        let pattern = PathPattern::parse(path).map_err(|reason| error("path", reason))?;
        for name in query.keys() {
            check_query_name(name).map_err(|reason| error(format!("query.{name}"), reason))?;
        }
        let is_protocol = |protocol: &String| {
            (1..=64).contains(&protocol.len())
                && protocol
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b))
        };
        if !upgrade.iter().all(is_protocol) {
            return Err(error("upgrade", "a protocol has lower-case letters, digits and `-./`"));
        }
        let meaning = match (action.as_str(), resource) {
            ("none", None) if params.is_empty() => None,
            ("none", None) => return Err(error("params", "an exempt rule has no parameters")),
            ("none", Some(_)) => return Err(error("resource", "an exempt rule has no resource")),
            (_, None) => return Err(error("resource", "missing: only `action: none` has no resource")),
            (action, Some(resource)) => {
                Some(MeaningTemplate::compile(action, resource, params, &pattern, query)?)
            }
        };
        Ok(Self {
            method: method.clone(),
            pattern,
            query: query.clone(),
            body: *body,
            upgrade: upgrade.clone(),
            meaning,
        })
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn pattern(&self) -> &PathPattern {
        &self.pattern
    }

    /// Whether a request under this rule needs no token.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.meaning.is_none()
    }

    /// Checks what the rule says of a request beyond method and path.
    pub(crate) fn check(&self, target: &Target<'_>) -> Result<(), Refusal> {
        target.query.check(&self.query)?;
        if target.body == Body::Present && self.body == BodyDocument::None {
            return Err(ambiguous("a body that the rule does not declare"));
        }
        match target.fields.upgrade {
            Single::Absent => Ok(()),
            Single::One(protocol)
                if self.upgrade.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(protocol)) =>
            {
                Ok(())
            }
            _ => Err(ambiguous("an upgrade that the rule does not declare")),
        }
    }

    /// What the request means; `None` for an exempt rule.
    pub(crate) fn meaning(&self, target: &Target<'_>) -> Result<Option<Meaning>, Refusal> {
        let Some(MeaningTemplate { action, resource, params }) = &self.meaning else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(params.len());
        for (name, source, kind) in params {
            values.push((name.clone(), source.read(target)?.and_then(|text| typed(&text, *kind))));
        }
        let (action, resource) = (action.render_action(target)?, resource.render_resource(target)?);
        Ok(Some(Meaning { action, resource, params: values }))
    }
}

impl MeaningTemplate {
    fn compile(
        action: &str,
        resource: &str,
        params: &BTreeMap<String, ParamDocument>,
        pattern: &PathPattern,
        query: &BTreeMap<String, Presence>,
    ) -> Result<Self, RuleError> {
        let action = Template::parse(action, pattern).map_err(|reason| error("action", reason))?;
        action::check_action(&action.sample("x")).map_err(|reason| error("action", reason.to_string()))?;
        // The namespace says who may claim an action, so no request chooses it.
        if !action.sample("{").split('{').next().is_some_and(|literal| literal.contains(':')) {
            return Err(error("action", "the namespace before `:` is not a placeholder"));
        }
        if action.sources().any(|source| matches!(source, Source::Path(Captured::Rest(_)))) {
            return Err(error("action", "`{*name}` is several segments, and an action is none"));
        }
        let resource = Template::parse(resource, pattern).map_err(|reason| error("resource", reason))?;
        let sample = resource.sample("x");
        let is_plain = |text: &str| !text.contains('*') && text.parse::<ResourcePattern>().is_ok();
        if !is_plain(&sample)
            || resource.sample("{").split("://").next().is_some_and(|scheme| scheme.contains('{'))
        {
            return Err(error(
                "resource",
                "not `scheme://authority[/segment...]` with placeholders after the scheme",
            ));
        }
        if resource.misplaces_rest() {
            return Err(error("resource", "`{*name}` is the last segment alone"));
        }
        let mut compiled = Vec::with_capacity(params.len());
        for (name, ParamDocument { from, kind }) in params {
            let field = |member: &str| format!("params.{name}{member}");
            if !is_parameter_name(name) {
                return Err(error(field(""), "a parameter name has 1 to 64 letters, digits and `_.-`"));
            }
            let source = Source::parse(from, pattern).map_err(|reason| error(field(".from"), reason))?;
            compiled.push((name.clone(), source, *kind));
        }
        let of_action = action.sources().map(|source| (String::from("action"), source));
        let of_resource = resource.sources().map(|source| (String::from("resource"), source));
        let of_params = compiled.iter().map(|(name, source, _)| (format!("params.{name}"), source));
        for (field, source) in of_action.chain(of_resource).chain(of_params) {
            if let Source::Query(name) = source
                && !query.contains_key(name)
            {
                return Err(error(field, format!("`query.{name}` is not declared under `query`")));
            }
        }
        Ok(Self { action, resource, params: compiled })
    }
}

impl Source {
    /// From `path.name`, `query.name` or `header.name`.
    pub(super) fn parse(text: &str, pattern: &PathPattern) -> Result<Self, String> {
        match text.split_once('.') {
            Some(("path", name)) => pattern
                .find(name)
                .map(Self::Path)
                .ok_or_else(|| format!("`{name}` is no placeholder of the path")),
            Some(("query", name)) if !name.is_empty() => Ok(Self::Query(name.into())),
            Some(("header", name)) if is_header_name(name) => Ok(Self::Header(name.into())),
            _ => Err(format!("`{text}` is none of `path.name`, `query.name` and `header.name` (lower case)")),
        }
    }

    /// The value's text; `None` where it is absent.
    pub(super) fn read<'t>(&self, target: &'t Target<'_>) -> Result<Option<Cow<'t, str>>, Refusal> {
        match self {
            Self::Path(Captured::Segment(index)) => {
                Ok(target.segments.get(*index).map(|own| Cow::Borrowed(&**own)))
            }
            Self::Path(Captured::Rest(from)) => {
                let rest: Vec<&str> = target.segments.iter().skip(*from).map(|segment| &**segment).collect();
                Ok(Some(Cow::Owned(rest.join("/"))))
            }
            Self::Query(name) => Ok(target.query.get(name).map(Cow::Borrowed)),
            Self::Header(name) => match target.fields.get(name) {
                Single::Absent => Ok(None),
                Single::Several => Err(ambiguous("a header field that the rule reads is repeated")),
                Single::One(value) if value.iter().all(|b| b.is_ascii_graphic() && *b != b',') => {
                    Ok(core::str::from_utf8(value).ok().map(Cow::Borrowed))
                }
                Single::One(_) => {
                    Err(ambiguous("a header field that the rule reads is a list or no plain text"))
                }
            },
        }
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

fn check_method(method: &str) -> Result<(), &'static str> {
    if method == "CONNECT" {
        return Err("`CONNECT` is always refused");
    }
    let valid = (1..=32).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if valid { Ok(()) } else { Err("a method has upper-case letters; another one never matches") }
}

fn check_query_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err("a query name has 1 to 128 characters");
    }
    // Upstream frameworks take these as instructions or credentials.
    if name == "_method" || name.eq_ignore_ascii_case("access_token") {
        return Err("this name overrides the method or carries a token, and is always refused");
    }
    Ok(())
}

fn is_header_name(name: &str) -> bool {
    let token = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    // Ours are replaced, and these are read by the verdict itself.
    token
        && !name.starts_with("x-writ-")
        && !name.starts_with("x-envoy-")
        && !matches!(name, "authorization" | "cookie" | "host")
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}

impl core::fmt::Display for Rule {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{} ", self.method)?;
        for segment in &self.pattern.segments {
            match segment {
                Segment::Literal(literal) => write!(formatter, "/{literal}")?,
                Segment::Capture(name) => write!(formatter, "/{{{name}}}")?,
            }
        }
        match &self.pattern.rest {
            Some(name) => write!(formatter, "/{{*{name}}}"),
            None if self.pattern.segments.is_empty() => formatter.write_str("/"),
            None => Ok(()),
        }
    }
}
