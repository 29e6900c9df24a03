//! What can be typed after `writ snapshot`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    cli::places::{DataPlaces, Places},
    publish::DEFAULT_WASM,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SnapshotCommand {
    /// Write the policy and the public keys for Envoy's wasm filter.
    #[command(after_help = "\
Examples:
  writ snapshot export --format envoy --output writ-data/envoy/writ-filter.yaml
  writ snapshot export --valid-for 1d > plugin-configuration.json

A running Envoy that watches the output file takes the new snapshot up by itself.
Exit codes: 0 written, 1 not written, 2 wrong usage, 64 bad configuration or policy.")]
    Export(ExportArgs),
    /// Show what a snapshot holds: its version, hosts and keys.
    #[command(after_help = "\
Examples:
  writ snapshot show                                        # what the server of writ-data published last
  writ snapshot show writ-data/envoy/writ-filter.yaml       # an exported one
  writ snapshot export | writ snapshot show - --json | jq .hosts

The key of revocation hashes, which snapshots hold as well, is never shown.
Exit codes: 0 shown, 1 no snapshot there, 2 wrong usage, 64 bad configuration.")]
    Show(ShowArgs),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExportArgs {
    #[command(flatten)]
    pub(super) places: Places,
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

#[derive(Args, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// An exported snapshot in any form, or `-` for standard input [default: what the data directory holds]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) places: DataPlaces,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}
