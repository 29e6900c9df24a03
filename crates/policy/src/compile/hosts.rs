//! Hosts of all files.
//!
//! What a rule means is checked by the verdict's own compiler, so that whatever compiles here is what a data plane
//! will accept; this module finds the line of what it refuses.

use std::collections::BTreeMap;

use verdict::{
    document::{HostDocument, RuleDocument},
    route::{Host, HostError, Rule},
};

use super::Namespace;
use crate::{
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
    /// Where each name was listed first.
    listed: BTreeMap<String, Field<'n>>,
}

impl<'n> Hosts<'n> {
    /// Adds the hosts of one file.
    pub(super) fn add(
        &mut self,
        sources: Vec<HostSource<'n>>,
        namespace: Namespace<'_>,
        report: &mut Report,
    ) {
        for source in sources {
            self.names(&source, namespace, report);
            if let Ok(document) = compile(&source, namespace, report) {
                self.exempt(&source, &document);
                self.documents.push(document);
            }
        }
    }

    pub(super) fn finish(self) -> (Vec<HostDocument>, Vec<Exemption>) {
        (self.documents, self.exemptions)
    }

    fn names(&mut self, source: &HostSource<'n>, namespace: Namespace<'_>, report: &mut Report) {
        for (field, name) in source.names.iter().zip(&source.document.names) {
            // Alone, so that an error has the place of the one name.
            let alone =
                HostDocument { names: vec![name.clone()], rules: Vec::new(), ..source.document.clone() };
            if let Err(HostError { rule: None, field: member, reason }) = Host::compile(&alone)
                && member == "hosts"
            {
                report.at(field, reason);
                continue;
            }
            if !namespace.scope.has_host(name) {
                report.at(field, namespace.lacks("host", name));
            }
            if let Some(first) = self.listed.get(name) {
                let (file, line) = (first.file(), first.position().line);
                report.at(field, format!("host `{name}` is already listed at {file}:{line}"));
            } else {
                self.listed.insert(name.clone(), field.clone());
            }
        }
    }

    fn exempt(&mut self, source: &HostSource<'n>, document: &HostDocument) {
        for (rule, RuleDocument { method, path, .. }) in source.rules.iter().zip(&document.rules) {
            if rule.document.action != NO_ACTION {
                continue;
            }
            self.exemptions.extend(document.names.iter().map(|host| Exemption {
                host: host.clone(),
                method: method.clone(),
                path: path.clone(),
                file: rule.field.file().to_owned(),
                line: rule.field.position().line,
            }));
        }
    }
}

/// The action of a rule that needs no token.
const NO_ACTION: &str = "none";

/// The whole document of one host.
fn compile(
    source: &HostSource<'_>,
    namespace: Namespace<'_>,
    report: &mut Report,
) -> Result<HostDocument, Reported> {
    let rules: Vec<_> = source.rules.iter().map(|rule| compile_rule(rule, namespace, report)).collect();
    let rules = rules.into_iter().collect::<Result<_, _>>()?;
    let document = HostDocument { rules, ..source.document.clone() };
    match Host::compile(&document) {
        Ok(_) => Ok(document),
        Err(HostError { rule, field, reason }) => {
            let rule = rule.and_then(|index| source.rules.get(index));
            Err(refuse(rule.map_or(&source.field, |rule| &rule.field), &field, reason, report))
        }
    }
}

fn compile_rule(
    source: &RuleSource<'_>,
    namespace: Namespace<'_>,
    report: &mut Report,
) -> Result<RuleDocument, Reported> {
    let document = &source.document;
    let claimed = if document.action == NO_ACTION || namespace.scope.has_action(&document.action) {
        Ok(())
    } else {
        Err(report.at(&source.action, namespace.lacks("action", &document.action)))
    };
    if let Err(error) = Rule::compile(document) {
        return Err(refuse(&source.field, &error.field, error.reason, report));
    }
    claimed.map(|()| document.clone())
}

/// Records the verdict's reason at the place of the member it names.
fn refuse(base: &Field<'_>, member: &str, reason: String, report: &mut Report) -> Reported {
    let (position, path) = base.locate(member);
    report.record(base.file(), position, &path, reason)
}
