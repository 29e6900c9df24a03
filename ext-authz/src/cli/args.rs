//! What can be typed: the families of commands. Each family's own file has the rest.

use clap::{Parser, Subcommand};

use super::{
    completions::CompletionsArgs, dataplane::DataPlaneCommand, keys::KeysCommand, policy::PolicyCommand,
    serve::ServeArgs, snapshot::SnapshotCommand, token::TokenCommand,
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
    /// Task tokens: asked for, looked at, verified.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
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
    /// Print the completions of a shell.
    #[command(after_help = "\
Examples:
  writ completions bash > /etc/bash_completion.d/writ
  writ completions zsh > ~/.zfunc/_writ      # a directory of $fpath
  writ completions fish > ~/.config/fish/completions/writ.fish")]
    Completions(CompletionsArgs),
}
