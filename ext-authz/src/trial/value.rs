//! The value of a parameter.
//!
//! The verdict does not tell values, but it compares them: so a value is read here in the plain way, which is the only
//! way to read a request that the verdict does not call ambiguous, and is shown only if the verdict agrees.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use verdict::{
    Grant, Verdict,
    document::{HostDocument, Leniency, ParamDocument, ParamType, RuleDocument},
    grant::{Predicates, Scalar},
    json,
};

use super::{RequestLine, Trial, TrialError};

/// The text of a parameter of a request that `grant` allows; `None` if no constraint could hold.
pub(super) fn find(
    trial: &Trial,
    host: &HostDocument,
    rule: &RuleDocument,
    line: &RequestLine,
    (name, param): (&str, &ParamDocument),
    mut grant: Vec<Grant>,
) -> Result<Option<String>, TrialError> {
    let Some(text) = read(host, rule, line, &param.from) else { return Ok(None) };
    let scalar = match param.kind {
        ParamType::String => Some(Scalar::String(text.clone())),
        ParamType::Number => text.parse().ok().map(Scalar::Number),
        ParamType::Boolean => text.parse().ok().map(Scalar::Boolean),
    };
    let Some(scalar) = scalar else { return Ok(None) };
    for grant in &mut grant {
        let predicates = Predicates { eq: Some(scalar.clone()), ..Predicates::default() };
        grant.constraints.insert(name.to_owned(), predicates);
    }
    let verdict = trial.judge(line, Some(&grant))?;
    Ok(matches!(verdict, Verdict::Allow(_)).then_some(text))
}

fn read(host: &HostDocument, rule: &RuleDocument, line: &RequestLine, from: &str) -> Option<String> {
    let (path, query) = line.path.split_once('?').unwrap_or((&line.path, ""));
    match from.split_once('.')? {
        ("path", name) => capture(path, rule, name, host.allow.contains(&Leniency::TrailingSlash)),
        ("query", name) => {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
        }
        ("header", name) => {
            let mut headers = line.headers.iter();
            headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        }
        ("form", name) => {
            let mut pairs = form_urlencoded::parse(line.body_text().as_bytes());
            pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
        }
        ("body", pointer) => {
            let found = json::scan(line.body_text().as_bytes(), &[pointer.parse().ok()?]).ok()?;
            found.into_iter().flatten().next().map(|scalar| match scalar {
                json::Scalar::Text(text) => text.into_owned(),
                json::Scalar::Number(text) => text.to_owned(),
                json::Scalar::Boolean(value) => value.to_string(),
            })
        }
        _ => None,
    }
}

/// What stands where `rule` has `{name}` or `{*name}`.
fn capture(path: &str, rule: &RuleDocument, name: &str, trailing_slash: bool) -> Option<String> {
    let path = if trailing_slash { path.strip_suffix('/').unwrap_or(path) } else { path };
    let decode = |segment| percent_decode_str(segment).decode_utf8().map(Cow::into_owned).ok();
    let (one, rest) = (format!("{{{name}}}"), format!("{{*{name}}}"));
    let index = rule.path.split('/').position(|segment| segment == one || segment == rest)?;
    let mut segments = path.split('/').skip(index);
    if rule.path.ends_with(&rest) {
        segments.map(decode).collect::<Option<Vec<_>>>().map(|segments| segments.join("/"))
    } else {
        decode(segments.next()?)
    }
}
