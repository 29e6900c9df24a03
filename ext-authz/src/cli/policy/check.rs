//! `writ policy check`.

use policy::{Policy, PolicyError, PolicyErrors};
use serde_json::{Value, json};

use super::args::CheckArgs;
use crate::{
    cli::{Done, exit::Failure, output},
    config::{PolicySource, resolve},
    publish::load_policy,
};

pub(super) fn run(args: &CheckArgs) -> Done {
    let config = resolve(args.places.overrides())?;
    // The example has no errors: a check of nothing must not pass for one of the operator's policy.
    let PolicySource::Directory(directory) = &config.policy else {
        let reason = "no policy directory: name one with --policy-dir, or run this where `policies` is";
        return Err(Failure::bad_configuration(&reason).shown_as(args.json));
    };
    let source = directory.display().to_string();
    match (load_policy(&config), args.json) {
        (Ok(policy), true) => output::result(&valid(&source, &policy).to_string()),
        (Ok(policy), false) => output::result(&summary(&source, &policy)),
        (Err(errors), true) => {
            // The errors are the result that was asked for; the exit code tells that there are some.
            output::result(&invalid(&source, &errors).to_string())
                .map_err(|error| Failure::failed(&error))?;
            return Err(Failure::bad_configuration_as_shown());
        }
        (Err(errors), false) => return Err(Failure::bad_configuration(&errors)),
    }
    .map_err(|error| Failure::failed(&error))
}

fn summary(source: &str, policy: &Policy) -> String {
    let hosts: usize = policy.hosts().iter().map(|host| host.names.len()).sum();
    let mut lines = vec![format!("{source}: no errors; hosts {hosts}, clients {}", policy.clients().len())];
    for open in policy.exemptions() {
        let (file, line) = (&open.file, open.line);
        lines.push(format!("{file}:{line}: open to everyone: {} {}{}", open.method, open.host, open.path));
    }
    lines.join("\n")
}

fn valid(source: &str, policy: &Policy) -> Value {
    let hosts: Vec<_> = policy.hosts().iter().flat_map(|host| &host.names).collect();
    let clients: Vec<_> = policy.clients().keys().collect();
    let exemptions = policy.exemptions().map(|open| {
        json!({"method": open.method, "host": open.host, "path": open.path, "file": open.file, "line": open.line})
    });
    json!({
        "policy": source, "valid": true, "errors": [],
        "hosts": hosts, "clients": clients, "exemptions": exemptions.collect::<Vec<_>>(),
    })
}

fn invalid(source: &str, errors: &PolicyErrors) -> Value {
    let errors = errors.iter().map(|error| {
        let PolicyError { file, line, column, field, reason } = error;
        let message = error.to_string();
        json!({
            "file": file, "line": line, "column": column, "field": field, "reason": reason, "message": message,
        })
    });
    json!({"policy": source, "valid": false, "errors": errors.collect::<Vec<_>>()})
}
