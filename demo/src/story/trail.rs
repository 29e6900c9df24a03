//! What the audit log says of one task, by the command that operators use.

use harness::{Error, Result, error::unexpected, wait};
use serde_json::Value;

use crate::{
    report::{Outcome, Report},
    world::World,
};

/// What is told of a task beside requests, in this order and each once.
const LIFE: [&str; 3] = ["task_started", "token_delegated", "task_completed"];

/// Requests of a task, as those who sent them counted.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Those that were answered, or begun to be.
    pub(super) allowed: usize,
    /// The most that can have been on their way when the task ended: allowed, and then answered with a denial.
    pub(super) on_the_way: usize,
}

/// Shows every action of `task`, and holds its requests against those that were `sent`.
///
/// # Errors
/// The command fails.
pub(super) async fn tell(world: &World, task: &str, sent: &Sent, report: &mut Report) -> Result<()> {
    let Sent { allowed, on_the_way } = *sent;
    let arguments = ["audit", "query", "--task", task, "--limit", "100000", "--json"];
    let command = format!("writ {}", arguments.join(" "));
    // Data planes report a while later.
    let reported = wait::until("the reports of the data planes", async || {
        let events = query(world, &arguments)?;
        Ok((passed(&events) >= allowed).then_some(events))
    });
    let events = match reported.await {
        Err(Error::TimedOut { .. }) => query(world, &arguments)?,
        other => other?,
    };
    let (requests, life): (Vec<&Value>, Vec<&Value>) =
        events.iter().partition(|event| text(event, "event") == "decision");
    for event in &life {
        report.note(&describe(event));
    }
    let told: Vec<&str> = life.iter().map(|event| text(event, "event")).collect();
    report.add(Outcome {
        what: "the task's life",
        request: command.clone(),
        wanted: LIFE.join(", "),
        got: told.join(", "),
        why: "each is committed together with what it tells of",
    });
    for (request, count) in grouped(&requests) {
        report.note(&format!("{count:>6} x {request}"));
    }
    let told = passed(&events);
    report.add(Outcome {
        what: "its requests",
        request: command,
        wanted: "all that passed".into(),
        got: match (allowed..=allowed + on_the_way).contains(&told) {
            true => "all that passed".into(),
            false => format!("{told} that passed, of {allowed}"),
        },
        why: "Envoys report theirs in the background, Check writes its own",
    });
    Ok(())
}

fn query(world: &World, arguments: &[&str]) -> Result<Vec<Value>> {
    let ran = world.setup.operate(arguments)?;
    if !ran.status.success() {
        return Err(unexpected(format!("writ audit: {}", String::from_utf8_lossy(&ran.stderr))));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    let told: Value = serde_json::from_str(&text).map_err(unexpected)?;
    let events = told.get("events").and_then(Value::as_array).cloned();
    events.ok_or_else(|| unexpected(format!("no events: {text}")))
}

fn text<'e>(event: &'e Value, member: &str) -> &'e str {
    event.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Requests that were allowed.
fn passed(events: &[Value]) -> usize {
    events.iter().filter(|event| text(event, "verdict") == "allow").count()
}

/// Requests in words, in the order in which each kind came first, and how many of it.
fn grouped(requests: &[&Value]) -> Vec<(String, usize)> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for request in requests {
        let words = describe(request);
        match kinds.iter_mut().find(|(kind, _)| *kind == words) {
            Some((_, count)) => *count += 1,
            None => kinds.push((words, 1)),
        }
    }
    kinds
}

/// The members that say something to people.
fn describe(event: &Value) -> String {
    const MEMBERS: [&str; 7] = ["event", "by", "agent", "action", "resource", "verdict", "code"];
    let said = MEMBERS.into_iter().filter_map(|member| Some(event.get(member)?.as_str()?.to_owned()));
    said.collect::<Vec<_>>().join("  ")
}
