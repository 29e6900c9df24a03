//! Hosts of all files.
//!
//! What a rule means is checked by the verdict's own compiler, so that whatever compiles here is what a data plane
//! will accept; this module finds the line of what it refuses.

use std::collections::BTreeMap;

use verdict::{
    document::{HostDocument, RuleDocument},
    route::{Host, HostError, Rule},
};

use super::{Namespace, credentials::Credentials};
use crate::{
    places::{HostPlaces, Place},
    policy::Exemption,
    report::{Report, Reported},
    schema::{HostSource, RuleSource},
    yaml::Field,
};

/// Hosts found so far.
#[derive(Default)]
pub(super) struct Hosts<'n> {
    documents: Vec<HostDocument>,
    exemptions: Vec<Exemption>,
    places: Vec<HostPlaces>,
    /// Where each name was listed first.
    listed: BTreeMap<String, Field<'n>>,
}

impl<'n> Hosts<'n> {
    /// Adds the hosts of one file.
    pub(super) fn add(
        &mut self,
        sources: Vec<HostSource<'n>>,
        namespace: Namespace<'_>,
        credentials: &Credentials<'_>,
        report: &mut Report,
    ) {
        for mut source in sources {
            let names = self.names(&source, namespace, report);
            let credential = source.credential.as_ref();
            let credential = credential.map(|field| credentials.find(field, namespace, report)).transpose();
            source.document.credential = credential.as_ref().ok().cloned().flatten();
            if let Ok((document, exemptions)) = compile(&source, names, namespace, report)
                && credential.is_ok()
            {
                self.documents.push(document);
                self.exemptions.extend(exemptions);
                let rules = source.rules.iter().flatten().map(|rule| Place::of(&rule.field)).collect();
                self.places.push(HostPlaces { host: Place::of(&source.field), rules });
            }
        }
    }

    /// The hosts, what is open, and where hosts and rules stand.
    pub(super) fn finish(self) -> (Vec<HostDocument>, Vec<Exemption>, Vec<HostPlaces>) {
        (self.documents, self.exemptions, self.places)
    }

    fn names(
        &mut self,
        source: &HostSource<'n>,
        namespace: Namespace<'_>,
        report: &mut Report,
    ) -> Result<(), Reported> {
        let mut result = Ok(());
        for (field, name) in source.names.iter().zip(&source.document.names) {
            // Alone, so that an error has the place of the one name.
            let alone =
                HostDocument { names: vec![name.clone()], rules: Vec::new(), ..source.document.clone() };
            if let Err(HostError { rule: None, field: member, reason }) = Host::compile(&alone)
                && member == "hosts"
            {
                result = Err(report.at(field, reason));
                continue;
            }
            if !namespace.scope.has_host(name) {
                result = Err(report.at(field, namespace.lacks("host", name)));
            }
            if let Some(first) = self.listed.get(name) {
                let (file, line) = (first.file(), first.position().line);
                result = Err(report.at(field, format!("host `{name}` is already listed at {file}:{line}")));
            } else {
                self.listed.insert(name.clone(), field.clone());
            }
        }
        result
    }
}

/// The action of a rule that needs no token.
const NO_ACTION: &str = "none";

/// The whole document of one host, and its rules that need no token.
fn compile(
    source: &HostSource<'_>,
    names: Result<(), Reported>,
    namespace: Namespace<'_>,
    report: &mut Report,
) -> Result<(HostDocument, Vec<Exemption>), Reported> {
    let judged = source.rules.iter().map(|rule| match rule {
        Ok(rule) => judge(rule, namespace, report).map(|()| rule),
        Err(reported) => Err(*reported),
    });
    let judged: Vec<_> = judged.collect();
    let rules = judged.into_iter().collect::<Result<Vec<_>, _>>()?;
    names?;
    let documents = rules.iter().map(|rule| rule.document.clone()).collect();
    let document = HostDocument { rules: documents, ..source.document.clone() };
    if let Err(HostError { rule, field, reason }) = Host::compile(&document) {
        let rule = rule.and_then(|index| rules.get(index));
        return Err(refuse(rule.map_or(&source.field, |rule| &rule.field), &field, reason, report));
    }
    let exemptions = rules.iter().flat_map(|rule| exemptions(rule, &document.names)).collect();
    Ok((document, exemptions))
}

/// Judges one rule alone.
fn judge(source: &RuleSource<'_>, namespace: Namespace<'_>, report: &mut Report) -> Result<(), Reported> {
    let RuleSource { field, action, document } = source;
    let claimed = if document.action == NO_ACTION || namespace.scope.has_action(&document.action) {
        Ok(())
    } else {
        Err(report.at(action, namespace.lacks("action", &document.action)))
    };
    match Rule::compile(document) {
        Ok(_) => claimed,
        Err(error) => Err(refuse(field, &error.field, error.reason, report)),
    }
}

/// What a rule opens, once for each name of its host; nothing if it has an action.
fn exemptions(rule: &RuleSource<'_>, hosts: &[String]) -> Vec<Exemption> {
    let RuleSource { field, action: _, document: RuleDocument { method, path, action, .. } } = rule;
    let hosts = if action == NO_ACTION { hosts } else { &[] };
    let exemption = |host: &String| Exemption {
        host: host.clone(),
        method: method.clone(),
        path: path.clone(),
        file: field.file().to_owned(),
        line: field.position().line,
    };
    hosts.iter().map(exemption).collect()
}

/// Records the verdict's reason at the place of the member it names.
fn refuse(base: &Field<'_>, member: &str, reason: String, report: &mut Report) -> Reported {
    let (position, path) = base.locate(member);
    report.record(base.file(), position, &path, reason)
}
