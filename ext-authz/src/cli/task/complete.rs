//! `writ task complete`.

use serde::Deserialize;

use super::{
    answer::{Task, read},
    args::CompleteArgs,
};
use crate::{
    cli::{Done, exit::Failure, output, remote::segment, words::Plain},
    clock,
};

#[derive(Deserialize)]
struct Completed {
    task: Task,
    changed: bool,
    #[serde(default)]
    cascaded: Vec<String>,
}

pub(super) fn run(args: &CompleteArgs) -> Done {
    let path = format!("/v1/tasks/{}/complete", segment(&args.task));
    let answer = args.client.api()?.post(&path, "{}".to_owned())?;
    let text = if args.json { answer.to_string() } else { words(&read(answer)?) };
    output::result(&text).map_err(|error| Failure::failed(&error))
}

fn words(Completed { task, changed, cascaded }: &Completed) -> String {
    let id = Plain(&task.id);
    match (changed, cascaded.len()) {
        (false, _) => {
            let lines = task.lines(clock::now().0);
            format!("it had ended before\n{}", lines.join("\n"))
        }
        (true, 0) => format!("completed: {id}"),
        (true, 1) => format!("completed: {id}, and the task below it"),
        (true, below) => format!("completed: {id}, and {below} tasks below it"),
    }
}
