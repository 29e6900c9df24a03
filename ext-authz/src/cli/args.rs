//! What can be typed.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as ArgGroup, Parser, Subcommand, ValueEnum};

use super::policy::PolicyCommand;
use crate::{
    config::Overrides,
    publish::DEFAULT_WASM,
    telemetry::logs::{LogFormat, LogLevel},
};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 64 bad configuration.";

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
    Serve(ServeArgs),
    /// The policy: checked, explained and tested without a server.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Snapshots: what a data plane judges by.
    Snapshot {
        #[command(subcommand)]
        command: SnapshotCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotCommand {
    /// Write the policy and the public keys for Envoy's wasm filter.
    #[command(after_help = "\
Examples:
  writ snapshot export --format envoy --output writ-data/envoy/writ-filter.yaml
  writ snapshot export --valid-for 1d > plugin-configuration.json

A running Envoy that watches the output file takes the new snapshot up by itself.")]
    Export(ExportArgs),
}

/// Where configuration, data and policy are.
#[derive(ArgGroup, Debug)]
pub(super) struct Places {
    /// Configuration file [default: writ.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of keys, client hashes and the data planes' socket [default: writ-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Directory of policy files [default: policies, if there is one, else a built-in example]
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<PathBuf>,
}

#[derive(ArgGroup, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    places: Places,
    /// Address of the OAuth and task API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<SocketAddr>,
    /// Address of the gRPC services [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDR")]
    grpc_addr: Option<SocketAddr>,
    /// Address of metrics and health [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR")]
    admin_addr: Option<SocketAddr>,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    /// The least severe level that is logged
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub(super) log_level: LogLevel,
    /// Print new client secrets and errors as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(ArgGroup, Debug)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    places: Places,
    /// What to write
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: ExportFormat,
    /// Where to write it, replacing the file in one step [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// How long data planes may use it, such as 12h or 7d; afterwards they deny everything
    #[arg(long, value_parser = policy::duration::parse, default_value = "7d", value_name = "TIME")]
    pub(super) valid_for: Duration,
    /// The filter's file, as Envoy finds it
    #[arg(long, default_value = DEFAULT_WASM, value_name = "FILE")]
    pub(super) wasm: PathBuf,
    /// Print a summary and errors as JSON; needs --output
    #[arg(long, requires = "output")]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// The filter's plugin configuration alone.
    #[default]
    Json,
    /// The discovery response that envoy/wasm.yaml watches.
    Envoy,
}

impl ServeArgs {
    pub(super) fn overrides(&self) -> Overrides {
        let (http, grpc, admin) = (self.http_addr, self.grpc_addr, self.admin_addr);
        Overrides { http, grpc, admin, ..self.places.overrides() }
    }
}

impl ExportArgs {
    pub(super) fn overrides(&self) -> Overrides {
        self.places.overrides()
    }
}

impl Places {
    fn overrides(&self) -> Overrides {
        let Self { config, data_dir, policy_dir } = self;
        Overrides {
            config: config.clone(),
            data_dir: data_dir.clone(),
            policy_dir: policy_dir.clone(),
            ..Overrides::default()
        }
    }
}
