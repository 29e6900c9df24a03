//! Clients and their ceilings.

use serde_json::{Value, json};

use super::{Change, ChangeKind, MemberChange, Subject, changed};
use crate::{
    authenticate::Authenticate,
    policy::{Ceiling, Client, Delegation, Policy},
};

pub(super) fn diff(before: &Policy, after: &Policy) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut push = |subject, kind| changes.push(Change { subject, kind, place: None });
    for (name, old) in before.clients() {
        let Some(new) = after.clients().get(name) else {
            push(Subject::Client(name.clone()), ChangeKind::Removed);
            continue;
        };
        let members = members(old, new);
        if !members.is_empty() {
            push(Subject::Client(name.clone()), ChangeKind::Changed(members));
        }
        for ceiling in without(&old.may_request, &new.may_request) {
            push(bound(name, ceiling), ChangeKind::Removed);
        }
        for ceiling in without(&new.may_request, &old.may_request) {
            push(bound(name, ceiling), ChangeKind::Added);
        }
    }
    for (name, new) in after.clients() {
        if !before.clients().contains_key(name) {
            push(Subject::Client(name.clone()), ChangeKind::Added);
            for ceiling in &new.may_request {
                push(bound(name, ceiling), ChangeKind::Added);
            }
        }
    }
    changes
}

fn bound(client: &str, ceiling: &Ceiling) -> Subject {
    Subject::Ceiling { client: client.to_owned(), ceiling: Box::new(ceiling.clone()) }
}

/// Those of `ceilings` that `others` lacks. How often one is listed makes no difference to what may be requested.
fn without<'c>(ceilings: &'c [Ceiling], others: &'c [Ceiling]) -> impl Iterator<Item = &'c Ceiling> {
    ceilings.iter().filter(|ceiling| !others.contains(ceiling))
}

/// Taken apart without `..`: a new member has to be compared.
fn members(old: &Client, new: &Client) -> Vec<MemberChange> {
    let Client { namespace, authenticate, agents, may_request: _, may_delegate } = old;
    let mut members = changed([
        ("namespace", namespace.as_str().into(), new.namespace.as_str().into()),
        ("agents", names(agents), names(&new.agents)),
        ("may_delegate", delegations(may_delegate), delegations(&new.may_delegate)),
    ]);
    // Equal words do not mean equal secrets.
    if *authenticate != new.authenticate {
        let (before, after) = (ways(authenticate), ways(&new.authenticate));
        members.push(MemberChange { member: "authenticate", before, after });
    }
    members
}

fn names(patterns: &[impl ToString]) -> Value {
    patterns.iter().map(ToString::to_string).collect()
}

/// As in policy files.
fn delegations(all: &[Delegation]) -> Value {
    let delegation = |Delegation { from, to, clients }: &Delegation| match clients.is_empty() {
        true => json!({ "from": names(from), "to": names(to) }),
        false => json!({ "from": names(from), "to": names(to), "clients": clients }),
    };
    all.iter().map(delegation).collect()
}

/// Ways to authenticate, without the hashes: those are for the server alone.
fn ways(all: &[Authenticate]) -> Value {
    let way = |way: &Authenticate| match way {
        Authenticate::Generated => "generated",
        Authenticate::SecretSha256(_) => "secret_sha256",
        Authenticate::Argon2id(_) => "argon2id",
    };
    all.iter().map(way).collect()
}
