//! What can be typed after `writ policy`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser};
use policy::lint::Code;

use crate::cli::{
    grants::GrantArgs,
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
    /// Show what a grant opens, or which rule a request falls under and what it means in the words of grants.
    #[command(after_help = "\
Examples:
  writ policy explain GET logs.internal /my-bucket/logs/2026-05/app.log
  writ policy explain GET flights.internal '/offers?from=JFK&to=LHR&date=2026-05-10&passengers=2'
  writ policy explain POST api.internal /orders --header 'content-type: application/json' --data '{}'
  writ policy explain --action s3:GetObject --resource 's3://my-bucket/logs/2026-05*'
  writ policy explain --grants grants.json --json
  writ policy explain --client log-janitor
  writ policy explain --agent spiffe://example.org/agent/janitor-1

Of a request: a task token needs a grant for the shown action and resource, whose constraints hold for the shown parameters.
Of grants, of what a client may request, and of what an agent may be given by any client: every host, method and path
they open, and what the values of a request must be. A `*` in a path is any text without `/`, `{name}` one segment and a
final `{*name}` one or more; paths under `except` are another rule's.
Exit codes: 0 a rule matches, or something is opened; 1 every token is denied, nothing is opened, or there is no such
grant, client or agent; 2 wrong usage; 64 bad policy.")]
    Explain(ExplainArgs),
    /// Find what is too broad, overlaps, or can never matter; and list what is open without a token.
    #[command(after_help = lint_help())]
    Lint(LintArgs),
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
#[command(group = asked())]
pub(in crate::cli) struct ExplainArgs {
    /// Method of a request, in capital letters
    #[arg(requires_all = ["host", "path"])]
    pub(super) method: Option<String>,
    /// Its host, with or without port
    pub(super) host: Option<String>,
    /// Its path with its query
    pub(super) path: Option<String>,
    /// A header field of the request; may be given more than once
    #[arg(long, value_name = "NAME: VALUE", value_parser = header, requires = "method")]
    pub(super) header: Vec<(String, String)>,
    /// The request has a body
    #[arg(long, requires = "method")]
    pub(super) body: bool,
    /// What the body says
    #[arg(long, value_name = "TEXT", requires = "method")]
    pub(super) data: Option<String>,
    #[command(flatten)]
    pub(super) grants: GrantArgs,
    /// A client: everything that it may request
    #[arg(long, value_name = "NAME")]
    pub(super) client: Option<String>,
    /// An agent: everything that clients who may hand tokens to it may request
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    #[command(flatten)]
    pub(super) places: PolicyPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A request, or one kind of what may open some.
fn asked() -> ArgGroup {
    ArgGroup::new("asked").args(["method", "grants", "grant", "action", "client", "agent"]).required(true)
}

#[derive(Args, Debug)]
pub(in crate::cli) struct LintArgs {
    /// Fail if there are warnings, as for CI
    #[arg(long)]
    pub(super) deny: bool,
    /// Leave findings of a code out; may be given more than once
    #[arg(long, value_name = "CODE", value_parser = PossibleValuesParser::new(Code::ALL.map(Code::as_str)))]
    pub(super) allow: Vec<String>,
    #[command(flatten)]
    pub(super) places: PolicyPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

fn lint_help() -> String {
    let codes = Code::ALL.map(|code| format!("  {:<21}{}", code.as_str(), code.about()));
    format!(
        "\
Examples:
  writ policy lint
  writ policy lint --deny                       # in CI: exit code 1 if there are warnings
  writ policy lint --deny --allow action-broad
  writ policy lint --json | jq -r '.findings[] | select(.code == \"exempt\") | .file'

Codes, which stay what they are:
{}

`exempt` and `shadow` are notes: listed, and never denied.
Exit codes: 0 linted, with --deny without warnings; 1 warnings, with --deny; 2 wrong usage; 64 bad policy.",
        codes.join("\n")
    )
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
