//! `writ task list`.

use serde::Deserialize;

use super::{
    answer::{Task, read},
    args::{ListArgs, State},
};
use crate::{
    cli::{
        Done,
        exit::Failure,
        output::{self, GOOD, paint},
        words::{Plain, Table, distance},
    },
    clock,
};

#[derive(Deserialize)]
struct Listed {
    tasks: Vec<Task>,
    #[serde(default)]
    next: Option<String>,
}

pub(super) fn run(args: &ListArgs) -> Done {
    let ListArgs { caller, state, parent, agent, since, after, limit, json } = args;
    let (since, limit) = (since.map(|since| since.to_string()), limit.to_string());
    let answer = caller.api()?.get(
        "/v1/tasks",
        &[
            ("state", state.map(State::name)),
            ("parent", parent.as_deref()),
            ("agent", agent.as_deref()),
            ("since", since.as_deref()),
            ("after", after.as_deref()),
            ("limit", Some(&limit)),
        ],
    )?;
    if *json {
        return output::result(&answer.to_string()).map_err(|error| Failure::failed(&error));
    }
    let Listed { tasks, next } = read(answer)?;
    output::styled(&words(&tasks)).map_err(|error| Failure::failed(&error))?;
    if let Some(next) = next {
        output::note(&format!("there are more: --after {}", Plain(&next)));
    }
    Ok(())
}

fn words(tasks: &[Task]) -> String {
    if tasks.is_empty() {
        return "no tasks".to_owned();
    }
    let now = clock::now().0;
    let mut table = Table::new(["TASK", "STATE", "CLIENT", "AGENT", "STARTED", "EXPIRES", "BELOW", "NOTE"]);
    for task in tasks {
        let Task { id, state, client, agent, parent, note, .. } = task;
        table.push([
            id.clone(),
            state.clone(),
            client.clone(),
            agent.clone(),
            distance(task.created_at, now),
            distance(task.expires_at, now),
            parent.clone().unwrap_or_default(),
            note.clone().unwrap_or_default(),
        ]);
    }
    let mut lines = table.lines();
    for (task, line) in tasks.iter().zip(lines.iter_mut().skip(1)) {
        if task.state == "active" {
            *line = paint(GOOD, &*line);
        }
    }
    lines.join("\n")
}
