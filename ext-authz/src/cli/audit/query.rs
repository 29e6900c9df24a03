//! `writ audit query`.

use serde_json::{Value, json};

use super::{
    args::QueryArgs,
    ask::{Part, Question},
    words,
};
use crate::cli::{Done, exit::Failure, output, words::Plain};

pub(super) fn run(args: &QueryArgs) -> Done {
    let QueryArgs { task, jti, narrow, since, until, after, limit, operator, json } = args;
    let question = Question::new(narrow)
        .with("task", task.as_ref())
        .with("jti", jti.as_ref())
        .with("since", *since)
        .with("until", *until);
    let mut events: Vec<Value> = Vec::new();
    let part = Part { after: after.clone(), most: Some(*limit) };
    let next = question.ask(&operator.api()?, part, |event| {
        events.push(event);
        true
    })?;
    // Data planes tell a little later. Of one instant the log's own order says most.
    events.sort_by_key(|event| event.get("at").and_then(Value::as_u64).unwrap_or(0));
    let done = if *json {
        output::result(&json!({"events": events, "more": next.is_some(), "next": next}).to_string())
    } else {
        output::styled(&told(&events))
    };
    done.map_err(|error| Failure::failed(&error))?;
    if let Some(next) = next {
        output::note(&format!("there is more: --after {}", Plain(&next)));
    }
    Ok(())
}

fn told(events: &[Value]) -> String {
    if events.is_empty() {
        return "nothing of that is in the audit log".to_owned();
    }
    let lines: Vec<String> = events.iter().map(words::line).collect();
    lines.join("\n")
}
