//! What can be typed after `writ policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Overrides;

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
    /// Show which rule a request falls under, and what it means in the words of grants.
    #[command(after_help = "\
Examples:
  writ policy explain GET logs.internal /my-bucket/logs/2026-05/app.log
  writ policy explain GET flights.internal '/offers?from=JFK&to=LHR&date=2026-05-10&passengers=2'
  writ policy explain POST api.internal /orders --header 'x-tenant: a' --body

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

/// Where configuration and policy are.
#[derive(Args, Debug)]
pub(super) struct PolicyPlaces {
    /// Configuration file: what namespaces may claim [default: writ.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of policy files [default: policies, if there is one, else a built-in example]
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
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

impl PolicyPlaces {
    pub(super) fn overrides(&self) -> Overrides {
        let Self { config, policy_dir } = self;
        Overrides { config: config.clone(), policy_dir: policy_dir.clone(), ..Overrides::default() }
    }
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
