//! What changes from one policy to another, in the terms in which operators wrote them.

mod clients;
mod credentials;
mod hosts;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    places::Place,
    policy::{Ceiling, Policy},
};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is about.
    pub subject: Subject,
    /// What became of it.
    pub kind: ChangeKind,
    /// Where it stands in the later policy, where that is known.
    pub place: Option<Place>,
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Host names that share their routes.
    Hosts(BTreeSet<String>),
    /// A rule, at each of these hosts.
    Rule {
        /// The hosts' names.
        hosts: BTreeSet<String>,
        /// Its method.
        method: String,
        /// Its path template.
        path: String,
        /// Whether it needs no token: in the policy it came into, or, if it is gone, the one it was in.
        exempt: bool,
    },
    /// A client.
    Client(String),
    /// A service's own credential, by its full name.
    Credential(String),
    /// A bound of what a client may request.
    Ceiling {
        /// The client.
        client: String,
        /// The bound.
        ceiling: Box<Ceiling>,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// Only the later policy has it.
    Added,
    /// Only the earlier policy has it.
    Removed,
    /// Both have it, and these members differ.
    Changed(Vec<MemberChange>),
}

/// A member that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberChange {
    /// Its name, as in policy files.
    pub member: &'static str,
    /// Its value before.
    pub before: Value,
    /// Its value afterwards.
    pub after: Value,
}

/// Everything that differs: hosts and their rules, then clients and their ceilings, then credentials. Empty where nothing does,
/// whatever files it is written in.
#[must_use]
pub fn diff(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut changes = hosts::diff(before, after);
    changes.extend(clients::diff(before, after));
    changes.extend(credentials::diff(before, after));
    changes
}

/// Members that differ, of those given as name, value before and value afterwards.
fn changed(members: impl IntoIterator<Item = (&'static str, Value, Value)>) -> Vec<MemberChange> {
    let differs = |(member, before, after): (&'static str, Value, Value)| {
        (before != after).then_some(MemberChange { member, before, after })
    };
    members.into_iter().filter_map(differs).collect()
}
