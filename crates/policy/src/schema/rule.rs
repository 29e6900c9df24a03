//! `routes[n].rules[m]`.

use std::collections::BTreeMap;

use verdict::document::{Presence, RuleDocument};

use super::{
    body::{self, BodySource},
    params::params,
};
use crate::{
    report::{Report, Reported},
    yaml::{Field, Mapping, named},
};

/// A rule as one file states it.
pub(crate) struct RuleSource<'n> {
    /// Its place.
    pub(crate) field: Field<'n>,
    /// The place of its action, which the file's namespace must claim.
    pub(crate) action: Field<'n>,
    pub(crate) document: RuleDocument,
}

impl<'n> RuleSource<'n> {
    pub(super) fn read(field: Field<'n>, report: &mut Report) -> Result<Self, Reported> {
        let mut rule = Mapping::of(&field, report)?;
        let method = rule.required("method", report).and_then(|field| field.text(report));
        let path = rule.required("path", report).and_then(|field| field.text(report));
        let query = rule.optional("query").map(|field| names(&field, report));
        let action = rule.required("action", report);
        let action = action.and_then(|field| field.text(report).map(|text| (field, text)));
        let resource = rule.optional("resource").map(|field| field.text(report));
        let params = rule.optional("params").map(|field| params(&field, report));
        let body = BodySource::read(&mut rule, report);
        let upgrade = rule.optional("upgrade").map(|field| upgrade(&field, report));
        let unsupported = rule.unsupported(&["rego", "limits", "credential"], report);
        rule.finish(report).and(unsupported)?;
        let (action, action_text) = action?;
        let BodySource { written, form, max_body } = body?;
        let mut document = RuleDocument {
            method: method?.to_owned(),
            path: path?.to_owned(),
            query: query.transpose()?.unwrap_or_default(),
            action: action_text.to_owned(),
            resource: resource.transpose()?.map(str::to_owned),
            params: params.transpose()?.unwrap_or_default(),
            body: written.unwrap_or_default(),
            form,
            max_body,
            upgrade: upgrade.transpose()?.unwrap_or_default(),
        };
        if written.is_none() {
            document.body = body::implied(&document);
        }
        Ok(Self { field, action, document })
    }
}

/// Names of a query or a form, and whether each must be there.
pub(super) fn names(field: &Field<'_>, report: &mut Report) -> Result<BTreeMap<String, Presence>, Reported> {
    const KNOWN: &[(&str, Presence)] = &[("optional", Presence::Optional), ("required", Presence::Required)];

    let names: Vec<_> = named(field, report)?
        .into_iter()
        .map(|member| Ok((member.name.to_owned(), member.field.one_of(KNOWN, report)?)))
        .collect();
    names.into_iter().collect()
}

fn upgrade(field: &Field<'_>, report: &mut Report) -> Result<Vec<String>, Reported> {
    let protocols: Vec<_> =
        field.items(report)?.iter().map(|item| item.text(report).map(str::to_owned)).collect();
    protocols.into_iter().collect()
}
