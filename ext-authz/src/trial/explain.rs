//! What a policy takes a request for.

use policy::{Place, Policy};
use serde::Serialize;
use verdict::{
    Denial, DenialCode, Grant, PermitKind, Refusal, Verdict,
    document::{HostDocument, Mode, ParamType, RuleDocument},
    grant::GrantType,
};

use super::{RequestLine, Trial, TrialError, value};

/// The rule that a request falls under.
#[derive(Clone, Debug)]
pub struct Explanation<'p> {
    /// Its host.
    pub host: &'p HostDocument,
    /// The rule.
    pub rule: &'p RuleDocument,
    /// Where it stands.
    pub place: Option<&'p Place>,
    /// What it takes the request for; `None` where no token is needed.
    pub meaning: Option<Meaning>,
}

/// A request in the words of grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// What constraints are held against.
    pub params: Vec<Parameter>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name in constraints.
    pub name: String,
    /// Where it is in the request.
    pub from: String,
    /// What its text is read as.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// Its text; `None` where it is absent or of another type, and no constraint holds.
    pub value: Option<String>,
}

/// Action and resource of rules that only say which one they are.
const MARK: &str = "rule:";
const MARKED: &str = "rule://marked";

/// The rule that a request with a token would be judged by, or the denial that every token gets.
///
/// # Errors
/// See [`TrialError`].
pub fn explain<'p>(
    policy: &'p Policy,
    line: &RequestLine,
) -> Result<Result<Explanation<'p>, Denial>, TrialError> {
    let (host, rule) = match find_rule(policy, line)? {
        Ok(found) => found,
        Err(denial) => return Ok(Err(denial)),
    };
    let place = policy.rule_place(host, rule);
    let found = policy.hosts().get(host).and_then(|host| host.rules.get(rule).map(|rule| (host, rule)));
    let Some((host, rule)) = found else { return Ok(Err(no_rule())) };
    Ok(meaning(host, rule, line)?.map(|meaning| Explanation { host, rule, place, meaning }))
}

/// Asks the verdict with a policy in which each rule's action is its own index.
fn find_rule(policy: &Policy, line: &RequestLine) -> Result<Result<(usize, usize), Denial>, TrialError> {
    let marked = policy.hosts().iter().enumerate().map(|(index, host)| {
        let rules = host.rules.iter().enumerate().map(|(rule, document)| RuleDocument {
            action: format!("{MARK}{index}.{rule}"),
            resource: Some(MARKED.to_owned()),
            params: Default::default(),
            ..document.clone()
        });
        HostDocument { rules: rules.collect(), ..enforced(host) }
    });
    let trial = Trial::new(marked)?;
    Ok(match trial.judge(line, Some(&grant(&format!("{MARK}*"), MARKED)))? {
        Verdict::Allow(permit) => permit
            .record()
            .and_then(|record| record.action.strip_prefix(MARK)?.split_once('.'))
            .and_then(|(host, rule)| Some((host.parse().ok()?, rule.parse().ok()?)))
            .ok_or_else(no_rule),
        Verdict::Deny(denial) => Err(denial),
        Verdict::NeedsBody(_) => Err(no_body()),
        Verdict::NeedsUse(_) => Err(no_rule()),
    })
}

/// Asks the verdict with a grant of everything that `rule` can mean.
fn meaning(
    host: &HostDocument,
    rule: &RuleDocument,
    line: &RequestLine,
) -> Result<Result<Option<Meaning>, Denial>, TrialError> {
    let trial = Trial::new([enforced(host)])?;
    let stem = |text: &str| text.split('{').next().unwrap_or_default().to_owned();
    let action = if rule.action.contains('{') { stem(&rule.action) + "*" } else { rule.action.clone() };
    let scheme = rule.resource.as_deref().and_then(|resource| resource.split("://").next());
    let anything = grant(&action, &format!("{}://**", scheme.unwrap_or_default()));
    let permit = match trial.judge(line, Some(&anything))? {
        Verdict::Allow(permit) => permit,
        Verdict::Deny(denial) => return Ok(Err(denial)),
        Verdict::NeedsBody(_) => return Ok(Err(no_body())),
        Verdict::NeedsUse(_) => return Ok(Err(no_rule())),
    };
    let Some(record) = permit.record() else {
        return Ok(if permit.kind() == PermitKind::Exempt { Ok(None) } else { Err(no_rule()) });
    };
    let mut params = Vec::new();
    for (name, param) in &rule.params {
        let exact = grant(&record.action, &record.resource);
        params.push(Parameter {
            name: name.clone(),
            from: param.from.clone(),
            kind: param.kind,
            value: value::find(&trial, host, rule, line, (name, param), exact)?,
        });
    }
    let (action, resource) = (record.action.clone(), record.resource.clone());
    Ok(Ok(Some(Meaning { action, resource, params })))
}

/// Shadow mode forwards what would be denied, and so hides why.
fn enforced(host: &HostDocument) -> HostDocument {
    HostDocument { mode: Mode::Enforce, ..host.clone() }
}

/// One grant of these, or none where they are no patterns.
fn grant(action: &str, resource: &str) -> Vec<Grant> {
    match (action.parse(), resource.parse()) {
        (Ok(action), Ok(resource)) => vec![Grant {
            kind: GrantType::TaskGrant,
            id: None,
            actions: vec![action],
            resources: vec![resource],
            constraints: Default::default(),
            limits: None,
        }],
        _ => Vec::new(),
    }
}

fn no_rule() -> Denial {
    Denial::new(Refusal::new(DenialCode::NoRoute, "no rule matches"), None)
}

fn no_body() -> Denial {
    Denial::new(Refusal::new(DenialCode::BodyInvalid, super::UNKNOWN_BODY), None)
}
