//! Templates of actions and resources: text with `{placeholders}` that a request fills.

use alloc::{string::String, vec::Vec};

use super::{
    pattern::{Captured, PathPattern},
    source::{Source, Target, Value},
};
use crate::{
    denial::{DenialCode, Refusal},
    grant::{action, resource},
    json::{Pointer, Scalar},
    request::body::Content,
};

/// Text in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Value(Source),
}

impl Template {
    /// Parses `text`; `{name}` is a capture of `path`, and any [`Source`] may stand in braces. Those into JSON join
    /// `pointers`.
    pub(super) fn parse(text: &str, path: &PathPattern, pointers: &mut Vec<Pointer>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or("`{` without `}`")?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            let source = match path.find(name) {
                Some(captured) => Source::Path(captured),
                None if name.starts_with("body.") => Source::parse(name, path, pointers)?,
                None => Source::parse(name, path, pointers).map_err(|_| {
                    alloc::format!("`{{{name}}}` is no placeholder of the path, no `{{query.name}}`, `{{header.name}}`, `{{form.name}}` or `{{body./pointer}}`")
                })?,
            };
            parts.push(Part::Value(source));
            rest = after;
        }
        if rest.contains('}') {
            return Err("`}` without `{`".into());
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        Ok(Self { parts })
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Value(source) => Some(source),
        })
    }

    /// The text with every placeholder replaced by `sample`, to check the literal parts.
    pub(super) fn sample(&self, sample: &str) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => literal,
                Part::Value(_) => sample,
            })
            .collect()
    }

    /// Whether a `{*name}` stands anywhere but alone in the last segment.
    pub(super) fn misplaces_rest(&self) -> bool {
        let is_rest = |part: &Part| matches!(part, Part::Value(Source::Path(Captured::Rest(_))));
        let Some((last, before)) = self.parts.split_last() else {
            return false;
        };
        let after_slash = matches!(before.last(), Some(Part::Literal(literal)) if literal.ends_with('/'));
        before.iter().any(is_rest) || (is_rest(last) && !after_slash)
    }

    /// The action of a request.
    pub(super) fn render_action(
        &self,
        target: &Target<'_>,
        content: &Content<'_>,
    ) -> Result<String, Refusal> {
        let text = self.render(target, content)?;
        action::check_action(&text)
            .map_err(|_| ambiguous("the action's placeholder is filled with no action name"))?;
        Ok(text)
    }

    /// The resource of a request. Every substituted value stays inside its segment.
    pub(super) fn render_resource(
        &self,
        target: &Target<'_>,
        content: &Content<'_>,
    ) -> Result<String, Refusal> {
        let text = self.render(target, content)?;
        if text.len() > resource::MAX_LENGTH {
            return Err(ambiguous("the resource is over 2048 bytes"));
        }
        let segments = text.split_once("://").map_or("", |(_, segments)| segments);
        if segments
            .as_bytes()
            .split(|byte| *byte == b'/')
            .any(|segment| matches!(segment, b"" | b"." | b".."))
        {
            return Err(ambiguous("a substituted value makes an empty or dot segment"));
        }
        Ok(text)
    }

    fn render(&self, target: &Target<'_>, content: &Content<'_>) -> Result<String, Refusal> {
        let mut text = String::with_capacity(64);
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value(Source::Path(Captured::Rest(from))) => {
                    for (index, segment) in target.segments.iter().skip(*from).enumerate() {
                        if index > 0 {
                            text.push('/');
                        }
                        text.push_str(check_value(segment)?);
                    }
                }
                Part::Value(source) => {
                    let value = source.read(target, content)?;
                    let value = match &value {
                        Some(Value::Plain(text) | Value::Json(Scalar::Text(text))) => text,
                        Some(Value::Json(_)) => {
                            return Err(ambiguous("a placeholder's value in JSON is no string"));
                        }
                        None => return Err(ambiguous("a placeholder's value is absent")),
                    };
                    text.push_str(check_value(value)?);
                }
            }
        }
        Ok(text)
    }
}

/// A substituted value is one non-empty piece of one segment.
fn check_value(value: &str) -> Result<&str, Refusal> {
    // Nearly every value, without decoding it to characters.
    if !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    {
        return Ok(value);
    }
    let breaks_out = |c: char| c.is_control() || matches!(c, '/' | '*' | '\\' | '%');
    if value.is_empty() || value.chars().any(breaks_out) {
        return Err(ambiguous(
            "a substituted value is empty or has `/`, `*`, `\\`, `%` or a control character",
        ));
    }
    Ok(value)
}

fn ambiguous(detail: &'static str) -> Refusal {
    Refusal::new(DenialCode::AmbiguousRequest, detail)
}
