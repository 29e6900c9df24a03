//! Asking a server as a client or as an operator, whichever the caller is.

use std::path::PathBuf;

use clap::Args;

use super::{
    Api, Client,
    credentials::{CLIENT_SECRET, ServerArgs, basic},
    operator,
};
use crate::cli::exit::Failure;

/// With --client its own tasks are meant, without it everyone's.
#[derive(Args, Debug)]
pub(in crate::cli) struct EitherArgs {
    /// The client that asks for its own [default: ask for all as an operator]
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// File with the client's secret, or `-` for standard input [default: the variable WRIT_CLIENT_SECRET]
    #[arg(long, visible_alias = "client-secret-file", value_name = "FILE", requires = "client")]
    secret_file: Option<PathBuf>,
    /// File with an operator's secret for --server, or `-` for standard input [default: the variable WRIT_OPERATOR_SECRET]
    #[arg(long, value_name = "FILE", requires = "server", conflicts_with = "client")]
    operator_secret_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

impl EitherArgs {
    /// The server, to be asked as whoever it is.
    pub(in crate::cli) fn api(&self) -> Result<Api, Failure> {
        let Self { client, secret_file, operator_secret_file, server } = self;
        let Some(client) = client else {
            return operator::api(server, operator_secret_file.as_deref());
        };
        let address = server.find("client")?;
        let authorization = basic(client, &CLIENT_SECRET.read(secret_file.as_deref())?)?;
        Ok(Api::new(Client::new(address), Some(authorization)))
    }
}
