//! What the audit log says of one task, by the command that operators use.

use std::collections::BTreeMap;

use harness::{Error, Result, error::unexpected, wait};
use serde_json::Value;

use crate::{
    hammer::Seens,
    report::{Outcome, Report},
    world::World,
};

/// What is told of a task, in this order and each once, beside the requests.
const ENDS: [&str; 3] = ["task_started", "token_delegated", "task_completed"];

/// Shows every action of `task`, and holds it against what was `seen`.
///
/// # Errors
/// The command fails.
pub(super) async fn tell(world: &World, task: &str, seen: &[Seens], report: &mut Report) -> Result<()> {
    let (mut allowed, mut denied) = (0, 0);
    for seen in seen {
        allowed += seen.allowed;
        denied += seen.revoked;
    }
    let _ = (allowed, denied);
    let arguments = ["audit", "query", "--task", task, "--json"];
    // Data planes report a while later.
    let complete = wait::until("the reports of the data planes", async || {
        let events = query(world, &arguments)?;
        let told = decisions(&events, "allow");
        Ok((told >= allowed).then_some(events))
    });
    let events = match complete.await {
        Err(Error::TimedOut { .. }) => query(world, &arguments)?,
        other => other?,
    };
    for line in lines(&events) {
        report.note(&format!("    {line}"));
    }
    let told: Vec<&str> = events.iter().map(kind).filter(|kind| ENDS.contains(kind)).collect();
    report.add(Outcome {
        what: "the task's life",
        request: format!("writ {}", arguments.join(" ")),
        wanted: ENDS.join(", "),
        got: told.join(", "),
        why: "each is committed with what it tells of",
    });
    Ok(())
}

fn query(world: &World, arguments: &[&str]) -> Result<Vec<Value>> {
    let ran = world.setup.run(arguments)?;
    if !ran.status.success() {
        return Err(unexpected(format!("writ audit: {}", String::from_utf8_lossy(&ran.stderr))));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    text.lines().map(|line| serde_json::from_str(line).map_err(unexpected)).collect()
}

fn kind(event: &Value) -> &str {
    event.get("event").and_then(Value::as_str).unwrap_or_default()
}

fn decisions(events: &[Value], verdict: &str) -> usize {
    let text = |event: &Value, name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_one =
        |event: &&Value| kind(event) == "decision" && text(event, "verdict").as_deref() == Some(verdict);
    events.iter().filter(is_one).count()
}

/// One line for each event; like requests between two others are one line together.
fn lines(events: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut requests: BTreeMap<String, usize> = BTreeMap::new();
    let mut flush = |requests: &mut BTreeMap<String, usize>, lines: &mut Vec<String>| {
        for (line, count) in std::mem::take(requests) {
            lines.push(format!("{count:>6} x {line}"));
        }
    };
    for event in events {
        let line = describe(event);
        if kind(event) == "decision" {
            *requests.entry(line).or_default() += 1;
        } else {
            flush(&mut requests, &mut lines);
            lines.push(line);
        }
    }
    flush(&mut requests, &mut lines);
    lines
}

/// An event's members that say something to people.
fn describe(event: &Value) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let mut words = vec![kind(event).to_owned()];
    for name in ["by", "agent", "action", "resource", "verdict", "code", "reason"] {
        words.extend(text(name).map(|value| format!("{name}={value}")));
    }
    words.join("  ")
}
