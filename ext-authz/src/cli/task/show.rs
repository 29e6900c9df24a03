//! `writ task show`.

use serde::Deserialize;

use super::{
    answer::{Task, read},
    args::ShowArgs,
};
use crate::{
    cli::{Done, exit::Failure, output, remote::segment},
    clock,
};

#[derive(Deserialize)]
struct Shown {
    task: Task,
}

pub(super) fn run(args: &ShowArgs) -> Done {
    let answer = args.caller.api()?.get(&format!("/v1/tasks/{}", segment(&args.task)), &[])?;
    let text = if args.json {
        answer.to_string()
    } else {
        let Shown { task } = read(answer)?;
        task.lines(clock::now().0).join("\n")
    };
    output::result(&text).map_err(|error| Failure::failed(&error))
}
