//! `writ revocations`.

use serde::Deserialize;

use super::args::RevocationsArgs;
use crate::{
    cli::{
        Done,
        exit::Failure,
        output,
        words::{Table, distance},
    },
    clock,
};

/// What is shown of the answer.
#[derive(Deserialize)]
struct Listed {
    revocations: Vec<Revocation>,
    #[serde(default)]
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Revocation {
    seq: u64,
    level: String,
    name: String,
    #[serde(default)]
    reason: Option<String>,
    revoked_by: String,
    revoked_at: u64,
    #[serde(default)]
    expires_at: Option<u64>,
    #[serde(default)]
    lifted_at: Option<u64>,
}

pub(super) fn run(args: &RevocationsArgs) -> Done {
    let RevocationsArgs { level, name, all, after, limit, operator, json } = args;
    let (after, limit) = (after.map(|after| after.to_string()), limit.to_string());
    let answer = operator.api()?.get(
        "/v1/revocations",
        &[
            ("level", level.map(super::args::Level::name)),
            ("name", name.as_deref()),
            ("stands", (!all).then_some("true")),
            ("after", after.as_deref()),
            ("limit", Some(&limit)),
        ],
    )?;
    if *json {
        return output::result(&answer.to_string()).map_err(|error| Failure::failed(&error));
    }
    let Listed { revocations, next } = serde_json::from_value(answer)
        .map_err(|error| Failure::failed(&format!("not what this version reads: {error}")))?;
    output::styled(&words(revocations)).map_err(|error| Failure::failed(&error))?;
    if let Some(next) = next {
        output::note(&format!("there are more: --after {next}"));
    }
    Ok(())
}

fn words(revocations: Vec<Revocation>) -> String {
    if revocations.is_empty() {
        return "nothing is revoked".to_owned();
    }
    let now = clock::now().0;
    let mut table = Table::new(["NUMBER", "LEVEL", "NAME", "REVOKED", "BY", "STANDS", "REASON"]);
    for Revocation { seq, level, name, reason, revoked_by, revoked_at, expires_at, lifted_at } in revocations
    {
        let stands = match (lifted_at, expires_at) {
            (Some(at), _) => format!("lifted {}", distance(at, now)),
            (None, Some(expires_at)) if expires_at <= now => "of no use any more".to_owned(),
            (None, Some(expires_at)) => format!("forgotten {}", distance(expires_at, now)),
            (None, None) => "yes".to_owned(),
        };
        let revoked = distance(revoked_at, now);
        table.push([seq.to_string(), level, name, revoked, revoked_by, stands, reason.unwrap_or_default()]);
    }
    table.lines().join("\n")
}
