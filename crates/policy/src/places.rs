//! Where in policy files things stand.

use std::collections::BTreeMap;

use crate::yaml::{Field, Named};

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Place {
    /// Where `field` stands.
    pub(crate) fn of(field: &Field<'_>) -> Self {
        Self { file: field.file().to_owned(), line: field.position().line }
    }

    /// Where the name stands that the policy chose.
    pub(crate) fn of_name(named: &Named<'_>) -> Self {
        Self { file: named.field.file().to_owned(), line: named.name_position.line }
    }
}

/// The places of a whole policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// In the order of the hosts.
    pub(crate) hosts: Vec<HostPlaces>,
    /// By name.
    pub(crate) clients: BTreeMap<String, ClientPlaces>,
    /// By full name.
    pub(crate) credentials: BTreeMap<String, Place>,
}

/// The places of one host.
#[derive(Clone, Debug)]
pub(crate) struct HostPlaces {
    pub(crate) host: Place,
    /// In the order of its rules.
    pub(crate) rules: Vec<Place>,
}

/// The places of one client.
#[derive(Clone, Debug)]
pub(crate) struct ClientPlaces {
    pub(crate) client: Place,
    /// In the order of what it may request.
    pub(crate) ceilings: Vec<Place>,
}
