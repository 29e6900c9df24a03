//! `writ token inspect`.

use serde_json::{Value, json};
use verdict::token::{
    Claims,
    claims::{Confirmation, WritClaim},
};

use super::{args::InspectArgs, presented};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, BAD, paint},
        token::presented::Said,
        words::{Plain, grant_lines, instant},
    },
    clock,
};

const UNVERIFIED: &str =
    "not verified: anyone could have written what follows; `writ token verify` says whether it holds";

pub(super) fn run(args: &InspectArgs) -> Done {
    let said = presented::decode(&presented::read(&args.token)?)?;
    let failed = |error: std::io::Error| Failure::failed(&error);
    if args.json {
        let problem = said.claims.as_ref().err();
        let shown =
            json!({"verified": false, "header": said.header, "claims": said.payload, "problem": problem});
        output::result(&shown.to_string()).map_err(failed)?;
    } else {
        let lines = match &said.claims {
            Ok(claims) => rows(claims, &said.header, clock::now().0),
            Err(_) => raw(&said),
        };
        output::styled(&format!("{}\n{}", paint(BAD, UNVERIFIED), lines.join("\n"))).map_err(failed)?;
    }
    match said.claims {
        Ok(_) => Ok(()),
        Err(_) if args.json => Err(Failure::failed_as_shown()),
        Err(problem) => Err(Failure::failed(&format!("not a task token: {}", Plain(&problem)))),
    }
}

/// What a token says, one thing a line.
pub(super) fn rows(claims: &Claims, header: &Value, now: u64) -> Vec<String> {
    let Claims {
        iss,
        aud,
        exp,
        iat,
        nbf,
        jti,
        sub,
        act: _,
        client_id,
        txn,
        authorization_details,
        cnf,
        writ: WritClaim { client, tasks: _, agents, lineage: _, depth, max_depth },
    } = claims;
    let mut rows = vec![
        row("issuer", iss),
        row("audience", &aud.join(", ")),
        row("task", claims.task()),
        row("started by", client),
        row("holder", claims.holder()),
        row("subject", sub),
        row("issued", &instant(*iat, now)),
        row("expires", &instant(*exp, now)),
        row("token id", jti),
    ];
    rows.extend(nbf.map(|nbf| row("not before", &instant(nbf, now))));
    rows.extend(header.get("kid").and_then(Value::as_str).map(|kid| row("key", kid)));
    if claims.task() != txn {
        rows.push(row("root task", txn));
    }
    if client_id != client {
        rows.push(row("requested by", client_id));
    }
    if *max_depth > 0 {
        let times = if *max_depth == 1 { "time" } else { "times" };
        rows.push(row(
            "delegated",
            &format!("{depth} of at most {max_depth} {times}; holders so far: {}", agents.join(", ")),
        ));
    }
    rows.extend(cnf.iter().flat_map(bindings));
    for (index, grant) in authorization_details.iter().enumerate() {
        let name = format!("grant {}", index + 1);
        for (line, text) in grant_lines(grant).iter().enumerate() {
            rows.push(row(if line == 0 { &name } else { "" }, text));
        }
    }
    rows
}

fn bindings(cnf: &Confirmation) -> Vec<String> {
    let Confirmation { x5t_s256, jkt, spiffe } = cnf;
    let bound = [
        ("the certificate with the SHA-256", x5t_s256),
        ("the DPoP key", jkt),
        ("the certificate of", spiffe),
    ];
    let bound = bound.into_iter().filter_map(|(to, value)| Some((to, value.as_ref()?)));
    bound.map(|(to, value)| row("bound to", &format!("{to} {value}"))).collect()
}

pub(super) fn row(name: &str, value: &str) -> String {
    format!("{name:<12} {}", Plain(value))
}

/// What is no task token, as it is.
fn raw(said: &Said) -> Vec<String> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let lines = [("header", pretty(&said.header)), ("claims", pretty(&said.payload))];
    // Strings in it are escaped by JSON up to U+001F only.
    let plain =
        |text: String| text.lines().map(|line| Plain(line).to_string()).collect::<Vec<_>>().join("\n");
    lines.into_iter().map(|(name, text)| format!("{name} {}", plain(text))).collect()
}
