//! `writ audit tail`.

use std::{collections::HashSet, thread, time::Duration};

use serde_json::Value;

use super::{
    args::TailArgs,
    ask::{Part, Question},
    words,
};
use crate::cli::{Done, exit::Failure, instant::before_now, output};

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Each look goes back this far: clocks of servers differ, and what was sealed first is not always there first.
const OVERLAP: Duration = Duration::from_secs(10);

/// Writer, batch and line: where an event is, and nothing else is.
type Place = (String, u64, u64);

pub(super) fn run(args: &TailArgs) -> Done {
    let TailArgs { narrow, since, follow, operator, json } = args;
    let api = operator.api()?;
    let start = before_now(*since);
    let mut from = start;
    let mut seen = HashSet::new();
    loop {
        let next = before_now(OVERLAP).max(start);
        let question = Question::new(narrow).with("written_since", Some(from));
        let mut found = HashSet::new();
        let mut shown = Ok(());
        question.ask(&api, Part::default(), |event| {
            let place = place(&event);
            if !seen.contains(&place) {
                shown = show(&event, *json);
            }
            found.insert(place);
            shown.is_ok()
        })?;
        shown?;
        if !follow {
            return Ok(());
        }
        (from, seen) = (next, found);
        thread::sleep(INTERVAL);
    }
}

fn show(event: &Value, json: bool) -> Done {
    let done = if json { output::result(&event.to_string()) } else { output::styled(&words::line(event)) };
    done.map_err(|error| Failure::failed(&error))
}

fn place(event: &Value) -> Place {
    let number = |name| event.get(name).and_then(Value::as_u64).unwrap_or(0);
    let writer = event.get("writer").and_then(Value::as_str).unwrap_or_default();
    (writer.to_owned(), number("batch"), number("line"))
}
