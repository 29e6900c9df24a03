//! `writ dataplane list`.

use clap::Args;
use serde_json::json;
use verdict::document::Version;

use super::nodes::{DataPlane, DataPlanes, by_envoy};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, GOOD, NOTE, paint},
        remote::{AdminAddress, Client},
        words::{Plain, Table, distance},
    },
    clock,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    admin: AdminAddress,
    /// Fail unless all have acknowledged the newest policy
    #[arg(long)]
    check: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let client = Client::new(args.admin.find()?);
    let DataPlanes { generation, revocation, data_planes } =
        client.json("/dataplanes").map_err(|error| Failure::failed(&error))?;
    let envoys = by_envoy(data_planes);
    let done = if args.json {
        output::result(
            &json!({"generation": generation, "revocation": revocation, "data_planes": envoys}).to_string(),
        )
    } else {
        output::styled(&words(generation, revocation, &envoys))
    };
    done.map_err(|error| Failure::failed(&error))?;
    let is_behind = args.check && envoys.iter().any(DataPlane::is_behind);
    if is_behind { Err(Failure::failed_as_shown()) } else { Ok(()) }
}

fn words(generation: u64, revocation: u64, envoys: &[DataPlane]) -> String {
    if envoys.is_empty() {
        return format!("no data plane is connected; the newest generation is {generation}");
    }
    let now = clock::now().0;
    let heads = ["NAME", "NODE", "BUILD", "STREAMS", "HOLDS", "LAG", "REVOCATIONS", "CONNECTED", "DECIDED"];
    let mut table = Table::new(heads);
    for envoy in envoys {
        table.push([
            envoy.name.clone(),
            envoy.node.clone(),
            envoy.build.clone(),
            envoy.streams.to_string(),
            envoy.version.map_or_else(|| "nothing".to_owned(), version),
            lag(envoy),
            revocation_lag(envoy),
            distance(envoy.connected_at, now),
            decided(envoy),
        ]);
    }
    let mut lines = table.lines();
    for (envoy, line) in envoys.iter().zip(lines.iter_mut().skip(1)) {
        if let Some(nack) = &envoy.nack {
            let (version, when) = (version(nack.version), distance(nack.at, now));
            let refused = format!("  refused {version} {when}: {}", Plain(&nack.reason));
            *line = format!("{line}\n{}", paint(BAD, refused));
        } else {
            *line = paint(if envoy.is_behind() { NOTE } else { GOOD }, &*line);
        }
    }
    lines.push(format!("newest generation {generation}, revocation {revocation}"));
    lines.join("\n")
}

fn version(Version { epoch, generation, revocation }: Version) -> String {
    format!("{epoch}.{generation}.{revocation}")
}

fn lag(envoy: &DataPlane) -> String {
    match (envoy.version, envoy.behind_generations) {
        (None, _) => "all".to_owned(),
        (Some(_), 0) => "none".to_owned(),
        (Some(_), behind) => behind.to_string(),
    }
}

/// Some are always on their way where many tasks end.
fn revocation_lag(envoy: &DataPlane) -> String {
    match (envoy.version, envoy.behind_revocations) {
        (None, _) => "all".to_owned(),
        (Some(_), 0) => "none".to_owned(),
        (Some(_), behind) => behind.to_string(),
    }
}

fn decided(envoy: &DataPlane) -> String {
    match envoy.dropped {
        0 => envoy.decided.to_string(),
        dropped => format!("{} ({dropped} unreported)", envoy.decided),
    }
}
