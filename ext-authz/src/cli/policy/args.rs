//! What can be typed after `writ policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{
    places::{Places, PolicyPlaces},
    remote::AdminAddress,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Compile the policy, and say everything that is wrong with it.
    #[command(after_help = "\
Examples:
  writ policy check
  writ policy check --policy-dir policies --json | jq -r '.errors[].message'

Each error names file, line, column and field. What passes here is what `writ serve` would take up.
Exit codes: 0 without errors, 2 wrong usage, 64 errors.")]
    Check(CheckArgs),
    /// Show what a running server made of its policy directory.
    #[command(after_help = "\
Examples:
  writ policy status
  writ policy status --admin http://10.0.0.7:8081
  writ policy status --json | jq -r '.rejected.errors[]'

An edit with an error leaves the last good policy in effect: it is shown here with its place, until it is repaired.
Exit codes: 0 what the directory holds is in effect, 1 it is rejected, or no server there, 2 wrong usage,
64 bad configuration.")]
    Status(StatusArgs),
    /// Show what an edit changes, in words: hosts, rules, what is open to everyone, clients, ceilings.
    #[command(after_help = "\
Examples:
  writ policy diff                                  # from what the server of writ-data runs to what policies/ holds
  writ policy diff --policy-dir review/policies
  writ policy diff --from main/policies --policy-dir branch/policies --json

Without --from, the server's policy is read from its data directory, where it keeps what it published last.
Exit codes: as of diff(1): 0 no difference, 1 differences, 2 wrong usage; and 64 bad configuration or policy.")]
    Diff(DiffArgs),
    /// Show which rule a request falls under, and what it means in the words of grants.
    #[command(after_help = "\
Examples:
  writ policy explain GET logs.internal /my-bucket/logs/2026-05/app.log
  writ policy explain GET flights.internal '/offers?from=JFK&to=LHR&date=2026-05-10&passengers=2'
  writ policy explain POST api.internal /orders --header 'content-type: application/json' --data '{}'

A task token needs a grant for the shown action and resource, whose constraints hold for the shown parameters.
Exit codes: 0 a rule matches, 1 every token is denied, 2 wrong usage, 64 bad policy.")]
    Explain(ExplainArgs),
    /// Decide the cases in *.cases.yaml, and say which are not decided as they expect.
    #[command(after_help = "\
Examples:
  writ policy test
  writ policy test --policy-dir policies
  writ policy test policies/logs.cases.yaml --json

A case is a request, the grants of its token, and the expected decision:
  client: log-janitor
  grants:
    - {actions: [\"s3:GetObject\"], resources: [\"s3://my-bucket/logs/2026-05/**\"]}
  cases:
    - name: May is read
      request: {method: GET, host: logs.internal, path: /my-bucket/logs/2026-05/app.log}
      expect: allow

Exit codes: 0 all as expected, 1 some are not, 2 wrong usage, 64 bad policy or bad cases.")]
    Test(TestArgs),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    pub(super) places: PolicyPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    pub(super) admin: AdminAddress,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct DiffArgs {
    /// Directory of the earlier policy [default: what the server of the data directory published last]
    #[arg(long, value_name = "DIR")]
    pub(super) from: Option<PathBuf>,
    #[command(flatten)]
    pub(super) places: Places,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExplainArgs {
    /// Method, in capital letters
    pub(super) method: String,
    /// Host, with or without port
    pub(super) host: String,
    /// Path with its query
    pub(super) path: String,
    /// A header field of the request; may be given more than once
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub(super) header: Vec<(String, String)>,
    /// The request has a body
    #[arg(long)]
    pub(super) body: bool,
    /// What the body says
    #[arg(long, value_name = "TEXT")]
    pub(super) data: Option<String>,
    #[command(flatten)]
    pub(super) places: PolicyPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct TestArgs {
    /// Files of cases [default: *.cases.yaml in the policy directory]
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) places: PolicyPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("authorization") => {
            Err("the token is made for the occasion: give none")
        }
        Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok((name.to_owned(), value.trim().to_owned()))
        }
        _ => Err("a header field is written `name: value`"),
    }
}
