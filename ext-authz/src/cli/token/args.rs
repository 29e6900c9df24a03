//! What can be typed after `writ token`. Neither a secret nor a token is ever an argument: everyone on a machine may
//! read the arguments of its processes.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use crate::cli::{places::DataPlaces, remote::ClientArgs};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Ask a server for a token, by OAuth 2.0 client credentials.
    #[command(after_help = "\
Examples:
  export WRIT_CLIENT_SECRET=writ_...
  TOKEN=$(writ token issue --client log-janitor --expires-in 5m \\
    --action s3:GetObject --resource 's3://my-bucket/logs/2026-05/**')
  writ token issue --client log-janitor --secret-file secret --grants grants.json --json
  vault read -field=secret kv/writ | writ token issue --client log-janitor --secret-file - \\
    --grant '{\"type\":\"task_grant\",\"actions\":[\"s3:*\"],\"resources\":[\"s3://my-bucket/**\"]}'

The secret comes from --secret-file or the variable WRIT_CLIENT_SECRET, never from the command line.
Prints the token alone, or with --json the server's whole answer. Whose certificates are believed is the system's
choice, or that of the file in the variable SSL_CERT_FILE.
Exit codes: 0 issued, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Issue(Box<IssueArgs>),
    /// Show what a token says, without verifying it.
    #[command(after_help = "\
Examples:
  writ token inspect <<<\"$TOKEN\"
  writ token inspect token.txt --json | jq .claims.exp

Anyone can write a token that says anything: what is shown here is no proof. See `writ token verify`.
Exit codes: 0 shown, 1 not a task token, 2 wrong usage.")]
    Inspect(InspectArgs),
    /// Verify a token as a data plane would: signature, issuer, times, revocation.
    #[command(after_help = "\
Examples:
  writ token verify <<<\"$TOKEN\"                               # by the keys in writ-data
  writ token verify token.txt --snapshot writ-data/envoy/writ-filter.yaml --audience mesh
  writ token verify token.txt --jwks https://writ.example.org/.well-known/jwks.json --issuer https://writ.example.org

Not checked, because they need a request: what the grants allow, and who presents the token.
Exit codes: 0 valid, 1 denied, with the denial's code, 2 wrong usage, 64 bad configuration.")]
    Verify(Box<VerifyArgs>),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct IssueArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,
    #[command(flatten)]
    pub(super) grants: GrantArgs,
    /// How long the token is to live, such as 5m [default: the server's]
    #[arg(long, value_parser = policy::duration::parse, value_name = "TIME")]
    pub(super) expires_in: Option<Duration>,
    /// For which audience of the policy [default: its only one]
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    /// For whom the work is done [default: the client]
    #[arg(long, value_name = "NAME")]
    pub(super) subject: Option<String>,
    /// The agent that will hold the token
    #[arg(long, value_name = "SPIFFE-ID")]
    pub(super) agent: Option<String>,
    /// What the holder has to prove, as the claim `cnf`
    #[arg(long, value_name = "JSON")]
    pub(super) cnf: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What is asked for: a list, or grants one by one, or the words of a single one.
#[derive(Args, Debug)]
pub(super) struct GrantArgs {
    /// File with the JSON list of grants, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["grant", "action", "resource"])]
    pub(super) grants: Option<PathBuf>,
    /// A grant as JSON; may be given more than once
    #[arg(long, value_name = "JSON", conflicts_with_all = ["action", "resource"])]
    pub(super) grant: Vec<String>,
    /// An action of the one grant; may be given more than once
    #[arg(long, value_name = "ACTION", requires = "resource", required_unless_present_any = ["grants", "grant"])]
    pub(super) action: Vec<String>,
    /// A resource of the one grant; may be given more than once
    #[arg(long, value_name = "RESOURCE", requires = "action")]
    pub(super) resource: Vec<String>,
}

/// Where a token is.
#[derive(Args, Debug)]
pub(super) struct TokenFile {
    /// File with the token, or `-` for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(super) file: PathBuf,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    #[command(flatten)]
    pub(super) token: TokenFile,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    pub(super) token: TokenFile,
    /// An exported snapshot, in any form [default: the keys of the data directory]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "config", "data_dir"])]
    pub(super) snapshot: Option<PathBuf>,
    /// A key set, by file or URL; needs --issuer
    #[arg(long, value_name = "FILE|URL", requires = "issuer", conflicts_with_all = ["config", "data_dir"])]
    pub(super) jwks: Option<String>,
    /// The issuer whose key set that is
    #[arg(long, value_name = "URL", requires = "jwks")]
    pub(super) issuer: Option<String>,
    /// The audience that the token must be for [default: any]
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    #[command(flatten)]
    pub(super) places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}
