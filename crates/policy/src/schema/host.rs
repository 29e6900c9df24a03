//! `routes[n]`: the hosts that share a list of rules.

use verdict::document::{DEFAULT_MAX_STALENESS, HostDocument, Leniency};

use super::{RuleSource, ceiling::duration, mode::mode, texts};
use crate::{
    report::{Report, Reported},
    yaml::{Field, Mapping},
};

/// One entry of `routes`.
pub(crate) struct HostSource<'n> {
    /// Its place.
    pub(crate) field: Field<'n>,
    /// The place of each of its names.
    pub(crate) names: Vec<Field<'n>>,
    /// The place of the credential's name, which may be defined in another file.
    pub(crate) credential: Option<Field<'n>>,
    /// All of it except the rules and the credential.
    pub(crate) document: HostDocument,
    /// In the order of the file. What is wrong with one does not keep the others from being judged.
    pub(crate) rules: Vec<Result<RuleSource<'n>, Reported>>,
}

impl<'n> HostSource<'n> {
    pub(super) fn read(field: &Field<'n>, report: &mut Report) -> Result<Self, Reported> {
        let mut host = Mapping::of(field, report)?;
        let names = host.required("hosts", report).and_then(|field| texts(&field, report));
        let audience = host.required("audience", report).and_then(|field| audience(&field, report));
        let rules = host.required("rules", report).and_then(|field| rules(&field, report));
        let mode = mode(&mut host, report);
        let allow = host.optional("allow").map(|field| leniencies(&field, report));
        let max_staleness = host.optional("max_staleness").map(|field| duration(&field, report));
        let require_token = host.optional("require_token").map(|field| require_token(&field, report));
        let credential = host.optional("credential");
        let unsupported = host.unsupported(&["mcp", "rego"], report);
        host.finish(report).and(unsupported)?;
        require_token.transpose()?;
        let names = names?;
        let document = HostDocument {
            names: names.iter().map(|(_, name)| (*name).to_owned()).collect(),
            audience: audience?.to_owned(),
            mode: mode?,
            allow: allow.transpose()?.unwrap_or_default(),
            max_staleness: max_staleness.transpose()?.map_or(DEFAULT_MAX_STALENESS, |age| age.as_secs()),
            credential: None,
            rules: Vec::new(),
        };
        let names = names.into_iter().map(|(field, _)| field).collect();
        Ok(Self { field: field.clone(), names, credential, document, rules: rules? })
    }
}

fn rules<'n>(
    field: &Field<'n>,
    report: &mut Report,
) -> Result<Vec<Result<RuleSource<'n>, Reported>>, Reported> {
    Ok(field.items(report)?.into_iter().map(|item| RuleSource::read(item, report)).collect())
}

fn audience<'n>(field: &Field<'n>, report: &mut Report) -> Result<&'n str, Reported> {
    let text = field.text(report)?;
    if text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text)
    } else {
        Err(report.at(field, "an audience has 1 to 256 visible ASCII characters"))
    }
}

fn leniencies(field: &Field<'_>, report: &mut Report) -> Result<Vec<Leniency>, Reported> {
    const KNOWN: &[(&str, Leniency)] =
        &[("trailing_slash", Leniency::TrailingSlash), ("semicolon", Leniency::Semicolon)];

    let mut found = Vec::new();
    for item in field.items(report)? {
        let leniency = item.one_of(KNOWN, report)?;
        if found.contains(&leniency) {
            return Err(report.at(&item, "is already listed"));
        }
        found.push(leniency);
    }
    Ok(found)
}

/// Only `always`: this version has no other way to say who may come without a token than `action: none`.
fn require_token(field: &Field<'_>, report: &mut Report) -> Result<(), Reported> {
    use crate::yaml::Value;

    match field.value() {
        Value::Text(text) if text == "always" => Ok(()),
        _ => Err(report.at(field, "anything but `always` is not supported by this version")),
    }
}
