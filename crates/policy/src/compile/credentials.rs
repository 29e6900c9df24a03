//! Credentials of all files, and the hosts that name them.

use std::collections::BTreeMap;

use verdict::document::CredentialDocument;

use super::Namespace;
use crate::{
    credential::{Credential, StoredSecret},
    places::Place,
    report::{Report, Reported},
    schema::CredentialSource,
    yaml::{Field, Named},
};

/// Credentials found so far, by their full names: `namespace/name`.
#[derive(Default)]
pub(super) struct Credentials<'n> {
    credentials: BTreeMap<String, Result<Credential, Reported>>,
    /// Where each was defined first.
    defined: BTreeMap<String, Named<'n>>,
}

impl<'n> Credentials<'n> {
    /// Adds the credentials of one file.
    pub(super) fn add(
        &mut self,
        sources: Vec<CredentialSource<'n>>,
        namespace: Namespace<'_>,
        report: &mut Report,
    ) {
        for CredentialSource { named, credential } in sources {
            let credential = credential.map(|(secret, credential)| {
                for stored in credential.secret.stored() {
                    let name = claimed_as(stored);
                    if !namespace.scope.has_secret(&name) {
                        report.at(&secret, namespace.lacks("secret", &name));
                    }
                }
                credential
            });
            let name = full_name(namespace, named.name);
            if let Some(first) = self.defined.get(&name) {
                let (file, line) = (first.field.file(), first.name_position.line);
                named.refuse(
                    format!("credential `{}` is already defined at {file}:{line}", named.name),
                    report,
                );
                continue;
            }
            self.credentials.insert(name.clone(), credential);
            self.defined.insert(name, named);
        }
    }

    /// What data planes learn of the credential that `field` names, which is one of the same namespace: another
    /// team's secret would otherwise be for everyone who writes policy.
    ///
    /// # Errors
    /// There is none of that name; or it is a faulty one, about which nothing more is recorded.
    pub(super) fn find(
        &self,
        field: &Field<'_>,
        namespace: Namespace<'_>,
        report: &mut Report,
    ) -> Result<CredentialDocument, Reported> {
        let text = field.text(report)?;
        let name = full_name(namespace, text);
        match self.credentials.get(&name) {
            Some(Err(reported)) => Err(*reported),
            Some(Ok(Credential { clusters, inject, secret: _, lease: _ })) => Ok(CredentialDocument {
                name,
                clusters: clusters.clone(),
                header: inject.header().to_owned(),
            }),
            None => {
                let reason = format!("namespace `{}` has no credential `{text}`", namespace.name);
                Err(report.at(field, reason))
            }
        }
    }

    /// Those without a fault, and where each stands.
    pub(super) fn finish(self) -> (BTreeMap<String, Credential>, BTreeMap<String, Place>) {
        let found = self.credentials.into_iter().filter_map(|(name, found)| Some((name, found.ok()?)));
        let places = self.defined.into_iter().map(|(name, named)| (name, Place::of_name(&named)));
        (found.collect(), places.collect())
    }
}

fn full_name(namespace: Namespace<'_>, name: &str) -> String {
    format!("{}/{name}", namespace.name)
}

/// How `writ.yaml` names it.
fn claimed_as(stored: &StoredSecret) -> String {
    match stored {
        StoredSecret::File(path) => path.display().to_string(),
        StoredSecret::Environment(name) => format!("env:{name}"),
    }
}
