//! What can be typed after `writ serve`.

use std::net::SocketAddr;

use clap::Args;

use crate::{
    cli::places::Places,
    config::Overrides,
    telemetry::logs::{LogFormat, LogLevel},
};

#[derive(Args, Debug)]
pub(in crate::cli) struct ServeArgs {
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
    /// Publish the policy directory even if it is an older one that the store knows
    #[arg(long)]
    pub(super) republish_policy: bool,
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

impl ServeArgs {
    pub(super) fn overrides(&self) -> Overrides {
        let (http, grpc, admin) = (self.http_addr, self.grpc_addr, self.admin_addr);
        Overrides { http, grpc, admin, ..self.places.overrides() }
    }
}
