//! `writ audit checkpoint`.

use super::args::CheckpointArgs;
use crate::{
    cli::{Done, exit::Failure, output},
    files,
};

pub(super) fn run(args: &CheckpointArgs) -> Done {
    let CheckpointArgs { output: file, operator, json: _ } = args;
    let checkpoint = operator.api()?.get("/v1/audit/checkpoint", &[])?.to_string();
    match file {
        // Nothing in it is secret, but it says who writes, and how much.
        Some(file) => files::write_atomically(file, format!("{checkpoint}\n").as_bytes(), files::SECRET)
            .map_err(|error| Failure::failed(&error)),
        None => output::result(&checkpoint).map_err(|error| Failure::failed(&error)),
    }
}
