//! Whose secret goes with a request, and where it comes from: never from the command line, which everyone on the machine
//! may read.

use std::{
    env,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use form_urlencoded::byte_serialize;
use http::HeaderValue;

use super::{Address, Api, Client};
use crate::cli::{exit::Failure, input, places::DataPlaces};

/// Asking a server as a client.
#[derive(Args, Debug)]
pub(in crate::cli) struct ClientArgs {
    /// The client that asks
    #[arg(long, value_name = "NAME")]
    client: String,
    /// File with the client's secret, or `-` for standard input [default: the variable WRIT_CLIENT_SECRET]
    #[arg(long, visible_alias = "client-secret-file", value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Which server's HTTP listener is asked.
#[derive(Args, Debug)]
pub(in crate::cli) struct ServerArgs {
    /// URL of the server's HTTP listener, such as http://127.0.0.1:8080 [default: as the running server of the data directory wrote it]
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "data_dir"])]
    pub(super) server: Option<Address>,
    /// Send the secret without TLS to another machine: whoever is on the way can read it
    #[arg(long)]
    pub(super) allow_plain_http: bool,
    #[command(flatten)]
    pub(super) places: DataPlaces,
}

impl ClientArgs {
    /// The server, to be asked with these credentials.
    pub(in crate::cli) fn api(&self) -> Result<Api, Failure> {
        let (client, authorization) = self.find()?;
        Ok(Api::new(client, Some(authorization)))
    }

    /// The server, and the credentials.
    pub(in crate::cli) fn find(&self) -> Result<(Client, HeaderValue), Failure> {
        let address = self.server.find("client")?;
        let secret = CLIENT_SECRET.read(self.secret_file.as_deref())?;
        Ok((Client::new(address), basic(&self.client, &secret)?))
    }

    /// Whether standard input is the secret.
    pub(in crate::cli) fn takes_input(&self) -> bool {
        self.secret_file.as_deref() == Some(Path::new("-"))
    }
}

impl ServerArgs {
    /// Its HTTP listener, if a secret may go there.
    pub(super) fn find(&self, whose: &str) -> Result<Address, Failure> {
        let address = match &self.server {
            Some(address) => address.clone(),
            None => Address::of_http(&self.places)?,
        };
        if address.is_private() || self.allow_plain_http {
            return Ok(address);
        }
        Err(Failure::failed(&format!(
            "{address}: not without TLS: the {whose}'s secret could be read on the way; use `https`, or \
             --allow-plain-http where something else protects the way"
        )))
    }
}

/// Where clients have theirs.
pub(super) const CLIENT_SECRET: Secret =
    Secret { whose: "client", variable: "WRIT_CLIENT_SECRET", option: "--secret-file" };

/// Where a secret is.
pub(super) struct Secret {
    pub(super) whose: &'static str,
    pub(super) variable: &'static str,
    pub(super) option: &'static str,
}

impl Secret {
    /// Reads it from `file`, or from the variable.
    pub(super) fn read(&self, file: Option<&Path>) -> Result<String, Failure> {
        let Self { whose, variable, option } = self;
        let secret = match file {
            Some(file) => input::read_text(file, &format!("the {whose}'s secret"))?,
            None => env::var(variable).map_err(|_| {
                Failure::failed(&format!(
                    "no secret: set the variable {variable}, or name a file by {option}"
                ))
            })?,
        };
        if secret.is_empty() { Err(Failure::failed(&"the secret is empty")) } else { Ok(secret) }
    }
}

/// RFC 6749 section 2.3.1: both in form encoding, then as RFC 7617 has it.
pub(super) fn basic(client: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret)));
    HeaderValue::try_from(format!("Basic {pair}")).map_err(|error| Failure::failed(&error))
}
