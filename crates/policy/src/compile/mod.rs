//! From the parts of all files to one policy.

mod clients;
mod credentials;
mod hosts;

use clients::Clients;
use credentials::Credentials;
use hosts::Hosts;

use crate::{
    error::PolicyErrors,
    namespaces::{Namespaces, Scope},
    places::Places,
    policy::Policy,
    report::{Report, Reported},
    schema::FileSource,
    yaml::{Field, parse},
};

/// Compiles files given as name and text.
///
/// # Errors
/// Every fault that was found.
pub(crate) fn compile(sources: &[(&str, &str)], namespaces: &Namespaces) -> Result<Policy, PolicyErrors> {
    let mut report = Report::default();
    let trees: Vec<_> = sources
        .iter()
        .filter_map(|(file, text)| parse(file, text, &mut report).ok().map(|root| (*file, root)))
        .collect();
    let mut clients = Clients::default();
    let mut credentials = Credentials::default();
    let mut hosts = Vec::new();
    for (file, root) in &trees {
        // What could not be read is in the report, and a report with errors is no policy.
        if let Ok(source) = FileSource::read(&Field::root(file, root), &mut report)
            && let Ok(namespace) = Namespace::of(&source, namespaces, &mut report)
        {
            clients.add(source.clients, namespace, &mut report);
            credentials.add(source.credentials, namespace, &mut report);
            hosts.push((source.hosts, namespace));
        }
    }
    // A host may name a credential of a later file.
    let mut found = Hosts::default();
    for (sources, namespace) in hosts {
        found.add(sources, namespace, &credentials, &mut report);
    }
    let (hosts, exemptions, host_places) = found.finish();
    let (clients, client_places) = clients.finish();
    let (credentials, credential_places) = credentials.finish();
    let places = Places { hosts: host_places, clients: client_places, credentials: credential_places };
    report.finish(Policy { hosts, clients, credentials, exemptions, places })
}

/// The namespace of a file and what it may claim.
#[derive(Clone, Copy)]
struct Namespace<'a> {
    name: &'a str,
    scope: Scope<'a>,
}

impl<'a> Namespace<'a> {
    fn of(
        source: &FileSource<'a>,
        namespaces: &'a Namespaces,
        report: &mut Report,
    ) -> Result<Self, Reported> {
        let name = source.namespace.text(report)?;
        match namespaces.claims_of(name) {
            Some(scope) => Ok(Self { name, scope }),
            None => {
                Err(report.at(&source.namespace, format!("`{name}` is no namespace of the configuration")))
            }
        }
    }

    /// What is wrong with a claim outside this namespace.
    fn lacks(self, kind: &str, what: &str) -> String {
        format!("namespace `{}` may not claim {kind} `{what}`", self.name)
    }
}
