//! `writ policy diff`.

use std::collections::BTreeSet;

use policy::{
    Ceiling, Namespaces, Policy, Sources,
    diff::{Change, ChangeKind, MemberChange, Subject, diff},
};
use serde_json::{Value, json};

use super::args::DiffArgs;
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, GOOD, NOTE, paint},
        published::published,
        words::{Plain, duration, grant_lines},
    },
    config::{Config, resolve},
    publish::load_policy,
};

pub(super) fn run(args: &DiffArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    let before = before(args, &config)?;
    let after = load_policy(&config).map_err(|errors| Failure::bad_configuration(&errors))?;
    let changes = diff(&before, &after);
    let done = if args.json {
        let changes: Vec<_> = changes.iter().map(shown).collect();
        output::result(&json!({ "changes": changes }).to_string())
    } else if changes.is_empty() {
        output::result("no difference")
    } else {
        output::styled(&changes.iter().flat_map(lines).collect::<Vec<_>>().join("\n"))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if changes.is_empty() { Ok(()) } else { Err(Failure::failed_as_shown()) }
}

/// It was in effect, or is somebody else's: what it may claim is not in question.
fn before(args: &DiffArgs, config: &Config) -> Result<Policy, Failure> {
    let sources = match &args.from {
        Some(directory) => Sources::read(directory).map_err(|errors| Failure::bad_configuration(&errors))?,
        None => {
            let missing = || {
                Failure::bad_configuration(&format!(
                    "no policy was ever published in `{}`: name the earlier one by --from DIR",
                    config.store
                ))
            };
            published(config)?.ok_or_else(missing)?.sources
        }
    };
    Policy::compile(&sources, &Namespaces::open()).map_err(|errors| Failure::bad_configuration(&errors))
}

fn lines(change: &Change) -> Vec<String> {
    let Change { subject, kind, place } = change;
    let place = place.as_ref().map(|place| format!(" ({}:{})", place.file, place.line)).unwrap_or_default();
    let head = Plain(&format!("{}{place}", name(subject))).to_string();
    match kind {
        ChangeKind::Added => vec![paint(GOOD, format!("+ {head}"))],
        ChangeKind::Removed => vec![paint(BAD, format!("- {head}"))],
        ChangeKind::Changed(members) => {
            let mut lines = vec![paint(NOTE, format!("~ {head}"))];
            lines.extend(members.iter().map(member));
            lines
        }
    }
}

fn name(subject: &Subject) -> String {
    let join = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match subject {
        Subject::Hosts(names) => format!("host {}", join(names)),
        Subject::Rule { hosts, method, path, exempt: true } => {
            format!("open to everyone: {method} {path} at {}", join(hosts))
        }
        Subject::Rule { hosts, method, path, exempt: false } => {
            format!("rule {method} {path} at {}", join(hosts))
        }
        Subject::Client(client) => format!("client {client}"),
        Subject::Credential(name) => format!("credential {name}"),
        Subject::Ceiling { client, ceiling } => format!("client {client} may request {}", bound(ceiling)),
    }
}

/// A ceiling in one sentence.
pub(super) fn bound(ceiling: &Ceiling) -> String {
    let Ceiling { grant, max_ttl, max_depth } = ceiling;
    let mut parts = grant_lines(grant);
    parts.extend(max_ttl.map(|ttl| format!("for {} at most", duration(ttl.as_secs()))));
    match max_depth {
        0 => {}
        1 => parts.push("delegated once at most".to_owned()),
        _ => parts.push(format!("delegated {max_depth} times at most")),
    }
    parts.join(" ")
}

fn member(MemberChange { member, before, after }: &MemberChange) -> String {
    if before == after {
        // Of secrets only their kind is shown.
        return format!("    {member}: another secret");
    }
    let text = |value: &Value| Plain(&value.to_string()).to_string();
    format!("    {member}: {} -> {}", text(before), text(after))
}

fn shown(change: &Change) -> Value {
    let Change { subject, kind, place } = change;
    let (kind, members) = match kind {
        ChangeKind::Added => ("added", &[][..]),
        ChangeKind::Removed => ("removed", &[][..]),
        ChangeKind::Changed(members) => ("changed", members.as_slice()),
    };
    let members: Vec<_> = members
        .iter()
        .map(|MemberChange { member, before, after }| json!({"member": member, "before": before, "after": after}))
        .collect();
    let subject = match subject {
        Subject::Hosts(hosts) => json!({"kind": "host", "hosts": hosts}),
        Subject::Rule { hosts, method, path, exempt } => {
            json!({"kind": "rule", "hosts": hosts, "method": method, "path": path, "exempt": exempt})
        }
        Subject::Client(client) => json!({"kind": "client", "client": client}),
        Subject::Credential(name) => json!({"kind": "credential", "credential": name}),
        Subject::Ceiling { client, ceiling } => json!({
            "kind": "ceiling", "client": client, "grant": ceiling.grant,
            "max_ttl": ceiling.max_ttl.map(|ttl| ttl.as_secs()), "max_depth": ceiling.max_depth,
        }),
    };
    json!({
        "change": kind, "subject": subject, "members": members,
        "file": place.as_ref().map(|place| &place.file), "line": place.as_ref().map(|place| place.line),
    })
}
