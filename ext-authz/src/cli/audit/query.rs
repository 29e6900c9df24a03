//! `writ audit query`.

use serde_json::{Value, json};

use super::{args::QueryArgs, ask::Question, words};
use crate::cli::{
    Done,
    exit::Failure,
    output::{self, NOTE, paint},
};

pub(super) fn run(args: &QueryArgs) -> Done {
    let QueryArgs { task, jti, narrow, since, until, limit, operator, json } = args;
    let question = Question::new(narrow)
        .with("task", task.as_ref())
        .with("jti", jti.as_ref())
        .with("since", *since)
        .with("until", *until);
    let mut events: Vec<Value> = Vec::new();
    let mut is_cut = false;
    question.ask(&operator.api()?, |event| {
        is_cut = events.len() >= *limit;
        if !is_cut {
            events.push(event);
        }
        !is_cut
    })?;
    let done = if *json {
        output::result(&json!({"events": events, "more": is_cut}).to_string())
    } else {
        output::styled(&told(events, is_cut))
    };
    done.map_err(|error| Failure::failed(&error))
}

fn told(mut events: Vec<Value>, is_cut: bool) -> String {
    if events.is_empty() {
        return "nothing of that is in the audit log".to_owned();
    }
    // Data planes tell a little later. Of one instant the log's own order says most.
    events.sort_by_key(|event| event.get("at").and_then(Value::as_u64).unwrap_or(0));
    let mut lines: Vec<String> = events.iter().map(words::line).collect();
    if is_cut {
        lines.push(paint(NOTE, "there is more: see --limit"));
    }
    lines.join("\n")
}
