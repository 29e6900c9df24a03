//! What can be typed after `writ token`. Neither a secret nor a token is ever an argument: everyone on a machine may
//! read the arguments of its processes.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

use crate::cli::{
    grants::{self, GrantArgs},
    places::DataPlaces,
    remote::ClientArgs,
};

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
    --grant '{\"type\":\"task_grant\",\"actions\":[\"s3:GetObject\"],\"resources\":[\"s3://my-bucket/logs/**\"]}'

The secret comes from --secret-file or the variable WRIT_CLIENT_SECRET, never from the command line.
Prints the token alone, or with --json the server's whole answer. Whose certificates are believed is the system's
choice, or that of the file in the variable SSL_CERT_FILE.
Exit codes: 0 issued, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Issue(Box<IssueArgs>),
    /// Exchange a token for one that allows no more, for another agent (RFC 8693).
    #[command(after_help = "\
Examples:
  export WRIT_CLIENT_SECRET=writ_...
  writ token exchange --client log-janitor --agent spiffe://example.org/agent/reader-1 <<<\"$TOKEN\"
  writ token exchange token.txt --client log-janitor --agent spiffe://example.org/agent/reader-1 --expires-in 1m \\
    --action s3:GetObject --resource 's3://my-bucket/logs/2026-05/01/**'

Without grants the new token allows what the old one does. It ends when the old one, its task or any task above ends.
Prints the token alone, or with --json the server's whole answer.
Exit codes: 0 issued, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Exchange(Box<ExchangeArgs>),
    /// Revoke a token that was issued to a client, and all that were exchanged for it (RFC 7009).
    #[command(after_help = "\
Examples:
  writ token revoke --client log-janitor <<<\"$TOKEN\"
  writ token revoke token.txt --client log-janitor --secret-file secret

As RFC 7009 has it, a token that is none of the client's is left alone without a word. To revoke anything else see
`writ revoke`, for operators.
Exit codes: 0 done, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Revoke(Box<RevokeArgs>),
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
  writ token verify <<<\"$TOKEN\"                               # by the store in writ-data
  writ token verify token.txt --snapshot writ-data/envoy/writ-filter.yaml --audience mesh
  writ token verify token.txt --jwks https://writ.example.org/.well-known/jwks.json --issuer https://writ.example.org

A key set does not say what is revoked. Not checked, because they need a request: what the grants allow, and who presents
the token.
Exit codes: 0 valid, 1 denied, with the denial's code, 2 wrong usage, 64 bad configuration.")]
    Verify(Box<VerifyArgs>),
}

#[derive(Args, Debug)]
#[command(group(grants::required()))]
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

#[derive(Args, Debug)]
pub(in crate::cli) struct ExchangeArgs {
    #[command(flatten)]
    pub(super) token: TokenFile,
    #[command(flatten)]
    pub(super) client: ClientArgs,
    #[command(flatten)]
    pub(super) grants: GrantArgs,
    /// The agent that will hold the new token
    #[arg(long, value_name = "SPIFFE-ID")]
    pub(super) agent: String,
    /// How long the new token is to live, such as 5m [default: the server's, or the rest of the old one's]
    #[arg(long, value_parser = policy::duration::parse, value_name = "TIME")]
    pub(super) expires_in: Option<Duration>,
    /// For which of the old token's audiences
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    /// What the new holder has to prove, as the claim `cnf`
    #[arg(long, value_name = "JSON")]
    pub(super) cnf: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RevokeArgs {
    #[command(flatten)]
    pub(super) token: TokenFile,
    #[command(flatten)]
    pub(super) client: ClientArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
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
