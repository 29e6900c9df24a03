//! `writ serve`.

mod args;

use std::io;

use serde_json::json;

pub(super) use self::args::ServeArgs;
use super::{Done, exit::Failure, output};
use crate::{
    clients::NewSecret,
    config::resolve,
    reload::Start,
    server::{self, ServerError},
    telemetry::{logs, metrics},
};

pub(super) fn run(args: &ServeArgs) -> Done {
    logs::start(args.log_format, args.log_level);
    serve(args).map_err(|failure| failure.shown_as(args.json))
}

fn serve(args: &ServeArgs) -> Done {
    let config = resolve(args.overrides())?;
    let metrics = metrics::start().map_err(ServerError::from)?;
    let json = args.json;
    let start = Start { republish_policy: args.republish_policy };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(&error))?;
    Ok(runtime.block_on(async {
        let data = server::open(config, start, move |secret| show(secret, json)).await?;
        server::run(data, metrics).await
    })?)
}

/// The only time that anyone sees this secret.
fn show(secret: NewSecret, json: bool) -> io::Result<()> {
    let (client, secret) = secret.reveal();
    if json {
        output::vital(&json!({"client": client, "secret": secret}).to_string())
    } else {
        output::vital(&format!("client {client} secret: {secret}"))
    }
}
