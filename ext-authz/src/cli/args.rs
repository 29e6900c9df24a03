//! What can be typed: the families of commands. Each family's own file has the rest.

use clap::{Parser, Subcommand};

use super::{
    audit::AuditCommand,
    completions::CompletionsArgs,
    dataplane::DataPlaneCommand,
    keys::KeysCommand,
    policy::PolicyCommand,
    revoke::{RevocationsArgs, RevokeArgs},
    serve::ServeArgs,
    snapshot::SnapshotCommand,
    task::TaskCommand,
    token::TokenCommand,
};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed or denied, 2 wrong usage, 64 bad configuration.";

/// Signed tokens for one task, enforced inside Envoy.
#[derive(Debug, Parser)]
#[command(name = "writ", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server: issue tokens, answer Envoy's ext_authz.
    #[command(after_help = "\
Examples:
  writ serve
  writ serve --config /etc/writ/writ.yaml --data-dir /var/lib/writ
  writ serve --http-addr 127.0.0.1:0      # any free port; see listeners.json in the data directory

The first start makes the signing key and prints, once, the secrets of clients that have a generated one.")]
    Serve(Box<ServeArgs>),
    /// The policy: checked, explained, tested and compared before it counts; and what a server made of it.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Tasks: started, completed, looked at.
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// Task tokens: asked for, exchanged, revoked, looked at, verified.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Revoke whatever tokens carry: a token, a task, an agent, a subject, a client.
    #[command(after_help = "\
Examples:
  writ revoke task 019a5e3c-8d3f-7b52-9c0e-3f1a2b4c5d6e --reason 'did what it should not'
  writ revoke agent spiffe://example.org/agent/janitor-1
  writ revoke agent spiffe://example.org/agent/janitor-1 --lift
  writ revoke client log-janitor --server https://writ.example.org --operator-secret-file secret

For operators: over the socket of the server that runs here, or with a secret over its HTTP listener.
What is acknowledged is committed, and refused by every data plane within milliseconds. `token` and `task` take with them
whatever was delegated from it. Agents, subjects and clients get nothing more issued either, until it is lifted; tokens
and tasks stay revoked for good. A name that nobody has heard of is recorded all the same. Keys are withdrawn by
`writ keys withdraw`.
Exit codes: 0 done, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Revoke(Box<RevokeArgs>),
    /// List what is revoked.
    #[command(after_help = "\
Examples:
  writ revocations
  writ revocations --level agent
  writ revocations --json | jq -r '.revocations[].name'

For operators, as `writ revoke` is. Newest last. What has been lifted, or can refuse nothing any more because all it could
refuse has expired, is listed with --all, for as long as the store keeps it.
Exit codes: 0 listed, 1 refused or no server, 2 wrong usage, 64 bad configuration.")]
    Revocations(Box<RevocationsArgs>),
    /// Snapshots: what a data plane judges by.
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// The keys that sign tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// The Envoys that follow a server.
    #[command(name = "dataplane")]
    DataPlane {
        #[command(subcommand)]
        command: DataPlaneCommand,
    },
    /// The audit log: what happened, and whether all of it is still there.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print the completions of a shell.
    #[command(after_help = "\
Examples:
  writ completions bash > /etc/bash_completion.d/writ
  writ completions zsh > ~/.zfunc/_writ      # a directory of $fpath
  writ completions fish > ~/.config/fish/completions/writ.fish")]
    Completions(CompletionsArgs),
}
