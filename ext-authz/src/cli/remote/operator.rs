//! Asking a server as an operator.

use std::path::{Path, PathBuf};

use clap::Args;
use http::HeaderValue;

use super::{
    Api, Client,
    credentials::{Secret, ServerArgs},
};
use crate::{cli::exit::Failure, config::resolve};

const VARIABLE: &str = "WRIT_OPERATOR_SECRET";

/// How to reach a server as an operator: by its socket on this machine, which whoever runs it may open, or with an
/// operator's secret by its HTTP listener.
#[derive(Args, Debug)]
pub(in crate::cli) struct OperatorArgs {
    /// File with the operator's secret for --server, or `-` for standard input [default: the variable WRIT_OPERATOR_SECRET]
    #[arg(long, value_name = "FILE", requires = "server")]
    operator_secret_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

impl OperatorArgs {
    /// The server, to be asked as an operator.
    pub(in crate::cli) fn api(&self) -> Result<Api, Failure> {
        api(&self.server, self.operator_secret_file.as_deref())
    }
}

/// The server named by `server`, with the secret in `file` or in the variable; else the one that runs here, by its socket.
pub(super) fn api(server: &ServerArgs, file: Option<&Path>) -> Result<Api, Failure> {
    if server.server.is_none() {
        return over_socket(server);
    }
    let address = server.find("operator")?;
    let secret = Secret { whose: "operator", variable: VARIABLE, option: "--operator-secret-file" };
    // The error would show the secret.
    let bearer = HeaderValue::try_from(format!("Bearer {}", secret.read(file)?))
        .map_err(|_| Failure::failed(&"the operator's secret has characters that no secret has"))?;
    Ok(Api::new(Client::new(address), Some(bearer)))
}

fn over_socket(server: &ServerArgs) -> Result<Api, Failure> {
    let path = resolve(server.places.overrides())?.listeners.operator;
    if path.exists() {
        return Ok(Api::new(Client::of_socket(path), None));
    }
    Err(Failure::failed(&format!(
        "no server runs here: there is no `{}`; name another one's HTTP listener by --server URL, and give an operator's \
         secret in the variable {VARIABLE}",
        path.display()
    )))
}

impl OperatorArgs {
    /// The server, for what needs none: `None` where none was named.
    pub(in crate::cli) fn named(&self) -> Result<Option<Api>, Failure> {
        self.server.server.is_some().then(|| self.api()).transpose()
    }

    /// Where configuration and data are, if no server was named.
    pub(in crate::cli) fn places(&self) -> &crate::cli::places::DataPlaces {
        &self.server.places
    }
}
