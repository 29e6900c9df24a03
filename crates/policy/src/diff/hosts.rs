//! Hosts and rules.
//!
//! They are compared by host name, because that is how a request finds them: a name that moves from one list of names
//! to another is no change by itself.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use verdict::document::{HostDocument, RuleDocument};

use super::{Change, ChangeKind, MemberChange, Subject, changed};
use crate::{places::Place, policy::Policy};

/// The action of a rule that needs no token.
const NO_ACTION: &str = "none";

/// A host under one of its names, and where its rules stand.
struct Listed<'p> {
    host: &'p HostDocument,
    places: Vec<Option<&'p Place>>,
}

pub(super) fn diff(before: &Policy, after: &Policy) -> Vec<Change> {
    let (old, new) = (by_name(before), by_name(after));
    let mut changes = Vec::new();
    for (name, old) in &old {
        match new.get(name) {
            None => one_host(&mut changes, name, old, false),
            Some(new) => both(&mut changes, name, old, new),
        }
    }
    for (name, new) in &new {
        if !old.contains_key(name) {
            one_host(&mut changes, name, new, true);
        }
    }
    changes
}

fn by_name(policy: &Policy) -> BTreeMap<&str, Listed<'_>> {
    let mut hosts = BTreeMap::new();
    for (index, host) in policy.hosts().iter().enumerate() {
        for name in &host.names {
            let places = (0..host.rules.len()).map(|rule| policy.rule_place(index, rule)).collect();
            hosts.insert(name.as_str(), Listed { host, places });
        }
    }
    hosts
}

/// A host that came or went, and what is open to everyone with it.
fn one_host(changes: &mut Vec<Change>, name: &str, listed: &Listed<'_>, is_new: bool) {
    let kind = if is_new { ChangeKind::Added } else { ChangeKind::Removed };
    let first = listed.places.first().copied().flatten().filter(|_| is_new);
    push(changes, Subject::Hosts([name.to_owned()].into()), kind.clone(), first);
    for (rule, place) in listed.host.rules.iter().zip(&listed.places) {
        if rule.action == NO_ACTION {
            push(changes, subject(name, rule), kind.clone(), place.filter(|_| is_new));
        }
    }
}

fn both(changes: &mut Vec<Change>, name: &str, old: &Listed<'_>, new: &Listed<'_>) {
    let members = host_members(old.host, new.host);
    if !members.is_empty() {
        let subject = Subject::Hosts([name.to_owned()].into());
        push(changes, subject, ChangeKind::Changed(members), new.places.first().copied().flatten());
    }
    for rule in &old.host.rules {
        if find(new, rule).is_none() {
            push(changes, subject(name, rule), ChangeKind::Removed, None);
        }
    }
    for (rule, place) in new.host.rules.iter().zip(&new.places) {
        let members = find(old, rule).map(|old| rule_members(old, rule));
        match members {
            None => push(changes, subject(name, rule), ChangeKind::Added, *place),
            Some(members) if members.is_empty() => {}
            Some(members) => push(changes, subject(name, rule), ChangeKind::Changed(members), *place),
        }
    }
}

fn find<'l>(listed: &'l Listed<'_>, rule: &RuleDocument) -> Option<&'l RuleDocument> {
    listed.host.rules.iter().find(|other| (&other.method, &other.path) == (&rule.method, &rule.path))
}

fn subject(host: &str, rule: &RuleDocument) -> Subject {
    Subject::Rule {
        hosts: [host.to_owned()].into(),
        method: rule.method.clone(),
        path: rule.path.clone(),
        exempt: rule.action == NO_ACTION,
    }
}

// Both are taken apart without `..`: a new member has to be compared.

fn host_members(old: &HostDocument, new: &HostDocument) -> Vec<MemberChange> {
    let HostDocument { names: _, audience, mode, allow, max_staleness, credential, rules: _ } = old;
    changed([
        ("audience", json(audience), json(&new.audience)),
        ("mode", json(mode), json(&new.mode)),
        ("allow", json(allow), json(&new.allow)),
        ("max_staleness", json(max_staleness), json(&new.max_staleness)),
        ("credential", json(credential), json(&new.credential)),
    ])
}

fn rule_members(old: &RuleDocument, new: &RuleDocument) -> Vec<MemberChange> {
    let RuleDocument { method: _, path: _, query, action, resource, params, body, form, max_body, upgrade } =
        old;
    changed([
        ("action", json(action), json(&new.action)),
        ("resource", json(resource), json(&new.resource)),
        ("query", json(query), json(&new.query)),
        ("params", json(params), json(&new.params)),
        ("body", json(body), json(&new.body)),
        ("form", json(form), json(&new.form)),
        ("max_body", json(max_body), json(&new.max_body)),
        ("upgrade", json(upgrade), json(&new.upgrade)),
    ])
}

/// The value in its wire form, which policy documents always have.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Adds a change, or its host to one that is the same at another name.
fn push(changes: &mut Vec<Change>, subject: Subject, kind: ChangeKind, place: Option<&Place>) {
    let place = place.cloned();
    for known in changes.iter_mut().filter(|known| known.kind == kind && known.place == place) {
        match (&mut known.subject, &subject) {
            (Subject::Hosts(known), Subject::Hosts(names)) => {
                known.extend(names.iter().cloned());
                return;
            }
            (
                Subject::Rule { hosts: known, method, path, exempt },
                Subject::Rule { hosts, method: other_method, path: other_path, exempt: other_exempt },
            ) if (&*method, &*path, &*exempt) == (other_method, other_path, other_exempt) => {
                known.extend(hosts.iter().cloned());
                return;
            }
            _ => {}
        }
    }
    changes.push(Change { subject, kind, place });
}
