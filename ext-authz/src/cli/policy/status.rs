//! `writ policy status`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::args::StatusArgs;
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, GOOD, paint},
        remote::Client,
        words::{Plain, instant},
    },
    clock,
};

/// What is read of `GET /config`.
#[derive(Deserialize)]
struct Running {
    policy_dir: Option<PathBuf>,
    policy_generation: u64,
    policy_rejected: Option<Rejected>,
    hosts: Vec<Host>,
    clients: Vec<String>,
    exemptions: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct Rejected {
    since: u64,
    errors: Vec<String>,
    #[serde(default)]
    further_errors: usize,
}

#[derive(Deserialize)]
struct Host {
    names: Vec<String>,
}

pub(super) fn run(args: &StatusArgs) -> Done {
    let client = Client::new(args.admin.find()?);
    let running: Running = client.json("/config").map_err(|error| Failure::failed(&error))?;
    let server = client.address();
    let done = if args.json {
        let Running { policy_dir, policy_generation, policy_rejected, hosts, clients, exemptions } = &running;
        let hosts: Vec<_> = hosts.iter().flat_map(|host| &host.names).collect();
        let status = json!({
            "server": server, "in_effect": policy_rejected.is_none(), "generation": policy_generation,
            "policy_dir": policy_dir, "rejected": policy_rejected,
            "hosts": hosts, "clients": clients, "exemptions": exemptions,
        });
        output::result(&status.to_string())
    } else {
        output::styled(&rows(&server, &running).join("\n"))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if running.policy_rejected.is_some() { Err(Failure::failed_as_shown()) } else { Ok(()) }
}

fn rows(server: &str, running: &Running) -> Vec<String> {
    let Running { policy_dir, policy_generation, policy_rejected, hosts, clients, exemptions } = running;
    let directory = match policy_dir {
        Some(directory) => directory.display().to_string(),
        None => "the built-in example".to_owned(),
    };
    let hosts: usize = hosts.iter().map(|host| host.names.len()).sum();
    let mut rows = vec![
        row("server", server),
        row("policy", &directory),
        row("generation", &policy_generation.to_string()),
        row("holds", &format!("hosts {hosts}, clients {}", clients.len())),
    ];
    rows.extend(exemptions.iter().map(|open| row("open to all", open)));
    let Some(Rejected { since, errors, further_errors }) = policy_rejected else {
        rows.push(paint(GOOD, row("state", "in effect, as the directory has it")));
        return rows;
    };
    let when = instant(*since, clock::now().0);
    let state = format!("rejected since {when}; the last good policy counts in place of what is wrong");
    rows.push(paint(BAD, row("state", &state)));
    rows.extend(errors.iter().map(|error| row("error", error)));
    if *further_errors > 0 {
        rows.push(row("", &format!("and {further_errors} more")));
    }
    rows
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<11} {}", Plain(value))
}
