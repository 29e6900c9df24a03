//! Clients of all files.

use std::collections::BTreeMap;

use super::Namespace;
use crate::{
    places::{ClientPlaces, Place},
    policy::Client,
    report::Report,
    schema::{CeilingSource, ClientSource},
    yaml::Named,
};

/// Clients found so far.
#[derive(Default)]
pub(super) struct Clients<'n> {
    clients: BTreeMap<String, Client>,
    places: BTreeMap<String, ClientPlaces>,
    /// Where each was defined first.
    defined: BTreeMap<&'n str, Named<'n>>,
}

impl<'n> Clients<'n> {
    /// Adds the clients of one file.
    pub(super) fn add(
        &mut self,
        sources: Vec<ClientSource<'n>>,
        namespace: Namespace<'_>,
        report: &mut Report,
    ) {
        for ClientSource { named, authenticate, agents, may_request, may_delegate } in sources {
            if !namespace.scope.has_client(named.name) {
                named.refuse(namespace.lacks("client", named.name), report);
            }
            for CeilingSource { field: _, actions, ceiling: _ } in &may_request {
                for action in actions {
                    if let Ok(text) = action.text(report)
                        && !namespace.scope.has_action(text)
                    {
                        report.at(action, namespace.lacks("action", text));
                    }
                }
            }
            if let Some(first) = self.defined.get(named.name) {
                let (file, line) = (first.field.file(), first.name_position.line);
                named.refuse(format!("client `{}` is already defined at {file}:{line}", named.name), report);
                continue;
            }
            let ceilings = may_request.iter().map(|source| Place::of(&source.field)).collect();
            let places = ClientPlaces { client: Place::of_name(&named), ceilings };
            self.places.insert(named.name.to_owned(), places);
            let may_request = may_request.into_iter().map(|source| source.ceiling).collect();
            let namespace = namespace.name.to_owned();
            let client = Client { namespace, authenticate, agents, may_request, may_delegate };
            self.clients.insert(named.name.to_owned(), client);
            self.defined.insert(named.name, named);
        }
    }

    /// The clients, and where they stand.
    pub(super) fn finish(self) -> (BTreeMap<String, Client>, BTreeMap<String, ClientPlaces>) {
        (self.clients, self.places)
    }
}
