//! One rule: a kind of request, and the action, resource and parameters it means.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    meaning::{Meaning, MeaningTemplate},
    pattern::{PathPattern, Segment},
    source::Target,
};
use crate::{
    denial::{DenialCode, Refusal},
    document::{BodyDocument, DEFAULT_MAX_BODY, LARGEST_MAX_BODY, Presence, RuleDocument},
    request::{
        BodyNeed, Leniencies,
        body::{self, Content, Kind},
        fields::Single,
        pairs::Pairs,
    },
};

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    method: String,
    pattern: PathPattern,
    query: BTreeMap<String, Presence>,
    body: BodyRule,
    upgrade: Vec<String>,
    /// `None` where no token is needed.
    meaning: Option<MeaningTemplate>,
}

/// What becomes of a body.
#[derive(Debug)]
enum BodyRule {
    Refused,
    Forwarded,
    Read {
        kind: Kind,
        /// Bytes.
        most: usize,
        /// Names of a form.
        form: BTreeMap<String, Presence>,
    },
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

impl RuleError {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl Rule {
    /// Compiles one rule.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn compile(document: &RuleDocument) -> Result<Self, RuleError> {
        let RuleDocument {
            method,
            path,
            query,
            action,
            resource,
            params,
            body: _,
            form,
            max_body: _,
            upgrade,
        } = document;
        check_method(method).map_err(|reason| RuleError::new("method", reason))?;
        let pattern = PathPattern::parse(path).map_err(|reason| RuleError::new("path", reason))?;
        for (member, names) in [("query", query), ("form", form)] {
            for name in names.keys() {
                check_name(name).map_err(|reason| RuleError::new(format!("{member}.{name}"), reason))?;
            }
        }
        let is_protocol = |protocol: &String| {
            (1..=64).contains(&protocol.len())
                && protocol
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b))
        };
        if !upgrade.iter().all(is_protocol) {
            return Err(RuleError::new("upgrade", "a protocol has lower-case letters, digits and `-./`"));
        }
        let meaning = match (action.as_str(), resource) {
            ("none", None) if params.is_empty() => None,
            ("none", None) => return Err(RuleError::new("params", "an exempt rule has no parameters")),
            ("none", Some(_)) => return Err(RuleError::new("resource", "an exempt rule has no resource")),
            (_, None) => {
                return Err(RuleError::new("resource", "missing: only `action: none` has no resource"));
            }
            (action, Some(resource)) => Some(MeaningTemplate::compile(action, resource, document, &pattern)?),
        };
        Ok(Self {
            method: method.clone(),
            pattern,
            query: query.clone(),
            body: compile_body(document, meaning.is_none())?,
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
        match &self.body {
            BodyRule::Refused if target.body.is_there() => {
                return Err(ambiguous("a body that the rule does not declare"));
            }
            BodyRule::Read { kind, most, form: _ } if target.body.is_there() => {
                body::check_fields(target.fields, *kind, *most)?;
            }
            BodyRule::Refused | BodyRule::Forwarded | BodyRule::Read { .. } => {}
        }
        self.check_upgrade(target)
    }

    /// What of a body must be read before the request means anything, if it has one.
    pub(crate) fn body_need(&self) -> Option<BodyNeed> {
        match &self.body {
            BodyRule::Read { most, .. } => Some(BodyNeed { most: *most }),
            BodyRule::Refused | BodyRule::Forwarded => None,
        }
    }

    /// Envoy sends the `connection` field of an upgrade on as it is, and whoever reads it must drop the fields it
    /// names (RFC 9110 section 7.6.1): so it may not name those that were judged, or set by us.
    fn check_upgrade(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let harmless = |option: &[u8]| {
            let option = option.trim_ascii();
            option.eq_ignore_ascii_case(b"upgrade") || option.eq_ignore_ascii_case(b"keep-alive")
        };
        let options = |value: &&[u8]| value.split(|byte| *byte == b',').all(harmless);
        match target.fields.upgrade {
            Single::Absent => Ok(()),
            _ if !target.fields.connection.iter().all(options) => {
                Err(ambiguous("`connection` of an upgrade names other fields"))
            }
            Single::One(protocol)
                if self.upgrade.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(protocol)) =>
            {
                Ok(())
            }
            _ => Err(ambiguous("an upgrade that the rule does not declare")),
        }
    }

    /// What a request means that was [checked](Self::check).
    ///
    /// # Errors
    /// Its body does not read as the rule says, or the rule's templates make nothing of it; `no_route` for an exempt
    /// rule, whose requests mean nothing.
    pub(crate) fn meaning(&self, target: &Target<'_>, leniencies: Leniencies) -> Result<Meaning, Refusal> {
        let Some(template) = &self.meaning else {
            return Err(Refusal::new(DenialCode::NoRoute, "the rule has no action"));
        };
        let content = match &self.body {
            BodyRule::Refused | BodyRule::Forwarded => Content::Unread,
            BodyRule::Read { kind: Kind::Json, most, form: _ } => {
                Content::Json(body::read_json(target.body, *most, template.pointers())?)
            }
            BodyRule::Read { kind: Kind::Form, most, form } => {
                Content::Form(read_form(target, *most, form, leniencies)?)
            }
        };
        template.fill(target, &content)
    }
}

fn read_form<'r>(
    target: &Target<'r>,
    most: usize,
    names: &BTreeMap<String, Presence>,
    leniencies: Leniencies,
) -> Result<Pairs<'r>, Refusal> {
    let form = body::read_form(target.body, most, leniencies)?;
    form.check(names)?;
    if form.overlaps(&target.query) {
        return Err(ambiguous("a name in the query and in the form"));
    }
    Ok(form)
}

fn compile_body(document: &RuleDocument, is_exempt: bool) -> Result<BodyRule, RuleError> {
    let RuleDocument { body, form, max_body, .. } = document;
    if *body != BodyDocument::Form && !form.is_empty() {
        return Err(RuleError::new("form", "names of a form, and `body` is not `form`"));
    }
    let kind = match body {
        BodyDocument::None | BodyDocument::Opaque if max_body.is_some() => {
            return Err(RuleError::new("max_body", "only a body of `json` or `form` is read"));
        }
        BodyDocument::None => return Ok(BodyRule::Refused),
        BodyDocument::Opaque => return Ok(BodyRule::Forwarded),
        BodyDocument::Json => Kind::Json,
        BodyDocument::Form => Kind::Form,
    };
    if is_exempt {
        return Err(RuleError::new("body", "an exempt rule reads no body; `opaque` forwards one"));
    }
    let most = max_body.unwrap_or(DEFAULT_MAX_BODY);
    if !(1..=LARGEST_MAX_BODY).contains(&most) {
        return Err(RuleError::new("max_body", format!("1 to {LARGEST_MAX_BODY} bytes")));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Ok(BodyRule::Read { kind, most, form: form.clone() })
}

fn check_method(method: &str) -> Result<(), &'static str> {
    if method == "CONNECT" {
        return Err("`CONNECT` is always refused");
    }
    let valid = (1..=32).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if valid { Ok(()) } else { Err("a method has upper-case letters; another one never matches") }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        return Err("a name has 1 to 128 characters");
    }
    // Upstream frameworks take these as instructions or credentials.
    if name == "_method" || name.eq_ignore_ascii_case("access_token") {
        return Err("this name overrides the method or carries a token, and is always refused");
    }
    Ok(())
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
