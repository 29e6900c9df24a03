//! *reload*: the policy is edited while requests flow. An edit takes effect on every path without a restart and without
//! a request that fails; an edit with a fault changes nothing, and is reported with its place.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{
    Error, Result,
    error::{IoContext, unexpected},
    http::h1,
    wait,
};
use serde_json::{Value, json};

use super::flights::{self, HOST, SEARCH};
use crate::{
    curl::{Answer, Curl},
    report::{Outcome, Report},
    road::{self, Visit},
    stream::Stream,
    world::World,
};

const FILE: &str = "flights.yaml";
/// Rules to add, in the style of the file.
const AIRPORTS: &str = r#"      - {method: GET, path: "/airports", action: none}"#;
const FARES: &str = r#"      - {method: GET, path: "/fares", action: none}"#;
const MISTYPED: &str = r#"      - {method: GET, path: "/seats", action: none, query: {row: requird}}"#;
/// Connections enough that every worker is asked.
const ROUNDS: usize = 40;

/// Plays the story on all paths at once.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("reload: requests with a task's token flow while the policy is edited");
    let roads = road::roads(world);
    let (mut visits, mut streams) = (Vec::new(), Vec::new());
    for road in &roads {
        let visit = Visit::start(world, road, HOST, &flights::task(), 300).await?;
        streams.push((road.name, Stream::start(road.envoy.listener("writ")?, search(&visit))));
        visits.push((road.name, visit));
    }
    let file = PolicyFile::open(world.policies().join(FILE))?;

    closed(&visits, "the airports", "/airports", "no rule is about them yet", report).await?;
    open_up(&file, &visits, report).await?;
    break_it(world, &file, &visits, report).await?;
    take_back(world, &file, &visits, report).await?;

    report.chapter("reload: the requests that flowed meanwhile");
    for (what, stream) in streams {
        let answers = stream.end().await?;
        let request = format!("GET {SEARCH}, {} times", answers.count());
        let why = "no edit failed a request, and nothing was started again";
        report.add(Outcome { what, request, wanted: "only 200".into(), got: answers.summary(), why });
    }
    Ok(())
}

/// An edit takes effect.
async fn open_up(file: &PolicyFile, visits: &[(&str, Visit<'_>)], report: &mut Report) -> Result<()> {
    report.chapter(&format!("reload: {FILE} gets one more rule"));
    report.note(AIRPORTS.trim());
    file.add(&[AIRPORTS])?;
    open(visits, "the edit took effect", report).await
}

/// An edit with a fault: a good rule, and a bad one after it.
async fn break_it(
    world: &World,
    file: &PolicyFile,
    visits: &[(&str, Visit<'_>)],
    report: &mut Report,
) -> Result<()> {
    report.chapter(&format!("reload: {FILE} gets two more, and one of them has a fault"));
    report.note(FARES.trim());
    report.note(MISTYPED.trim());
    let line = file.add(&[AIRPORTS, FARES, MISTYPED])?;
    let errors = wait::until("the edit's rejection", || async {
        let errors = rejected(world).await?;
        Ok((!errors.is_empty()).then_some(errors))
    })
    .await?;
    let fault = errors.first().map(String::as_str).unwrap_or_default();
    let admin = world.server.listeners.admin;
    report.add(Outcome {
        what: "the fault is reported with its place",
        request: format!("curl http://{admin}/readyz"),
        wanted: format!("{FILE}:{line}"),
        got: place(fault),
        why: "the server is ready all the same, with the last good policy",
    });
    report.note(&format!("    {fault}"));
    let log = world.server.log();
    let logged = log.lines().find(|logged| logged.contains("policy rejected") && logged.contains(fault));
    report.add(Outcome {
        what: "and logged",
        request: "the server's log".into(),
        wanted: "policy rejected".into(),
        got: logged.map_or("nothing", |_| "policy rejected").into(),
        why: "with the same words",
    });
    let why = "nothing of the edit took effect, its good rule neither";
    closed(visits, "the fares", "/fares", why, report).await?;
    open(visits, "and what counted before counts", report).await
}

/// The file as it was.
async fn take_back(
    world: &World,
    file: &PolicyFile,
    visits: &[(&str, Visit<'_>)],
    report: &mut Report,
) -> Result<()> {
    report.chapter(&format!("reload: {FILE} is as it was"));
    file.add(&[])?;
    closed(visits, "the airports", "/airports", "the rule is gone again", report).await?;
    let faults = rejected(world).await?.len();
    report.add(Outcome {
        what: "no fault is left",
        request: format!("curl http://{}/readyz", world.server.listeners.admin),
        wanted: "0 errors".into(),
        got: format!("{faults} errors"),
        why: "a good edit ends the report of a bad one",
    });
    Ok(())
}

/// `/airports` answers on every path.
async fn open(visits: &[(&str, Visit<'_>)], why: &'static str, report: &mut Report) -> Result<()> {
    for (road, visit) in visits {
        report.note(&format!("through {road}:"));
        let curl = visit.get("/airports");
        settle(visit, &curl, "200").await?;
        let is_list = |answer: &Answer| answer.json() == json!({"airports": ["CDG", "JFK", "LHR"]});
        visit.allowed(report, "the airports", curl, ("and a list", is_list), why).await?;
    }
    Ok(())
}

/// `target` has no rule on any path.
async fn closed(
    visits: &[(&str, Visit<'_>)],
    what: &'static str,
    target: &str,
    why: &'static str,
    report: &mut Report,
) -> Result<()> {
    for (road, visit) in visits {
        report.note(&format!("through {road}:"));
        let curl = visit.get(target);
        settle(visit, &curl, "403 no_route").await?;
        visit.refused(report, what, curl, "403 no_route", why).await?;
    }
    Ok(())
}

/// Waits until every worker answers `wanted`. Where that is in vain, the step that follows tells what they answer.
async fn settle(visit: &Visit<'_>, curl: &Curl, wanted: &str) -> Result<()> {
    let settled = wait::until(wanted, || async {
        for _ in 0..ROUNDS {
            if visit.send(curl).await?.summary() != wanted {
                return Ok(None);
            }
        }
        Ok(Some(()))
    });
    match settled.await {
        Err(Error::TimedOut { .. }) => Ok(()),
        other => other,
    }
}

/// What the server says is wrong with the policy directory.
async fn rejected(world: &World) -> Result<Vec<String>> {
    let ready = h1::get(world.server.listeners.admin, "/readyz").await?;
    if ready.status != 200 {
        return Err(unexpected(format!("the server is not ready: {}", ready.status)));
    }
    let body = ready.json().unwrap_or_default();
    let errors = body.pointer("/policy_rejected/errors").and_then(Value::as_array);
    Ok(errors.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// `file:line` of `path/file:line:column: ...`.
fn place(error: &str) -> String {
    let mut parts = error.splitn(3, ':');
    let (file, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let file = Path::new(file).file_name().unwrap_or_default();
    format!("{}:{line}", file.display())
}

fn search(visit: &Visit<'_>) -> Vec<u8> {
    let token = visit.token();
    format!(
        "GET {SEARCH} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// A policy file whose last lines are rules, so that rules can be added at its end.
struct PolicyFile {
    path: PathBuf,
    original: String,
}

impl PolicyFile {
    fn open(path: PathBuf) -> Result<Self> {
        let original = fs::read_to_string(&path).context(|| format!("read `{}`", path.display()))?;
        Ok(Self { path, original })
    }

    /// Makes the file the original and `rules`, in one step as editors do; the line of the last one.
    fn add(&self, rules: &[&str]) -> Result<usize> {
        let lines: Vec<&str> = self.original.lines().chain(rules.iter().copied()).collect();
        let draft = self.path.with_file_name(format!(".{FILE}"));
        fs::write(&draft, lines.join("\n") + "\n").context(|| format!("write `{}`", draft.display()))?;
        fs::rename(&draft, &self.path).context(|| format!("replace `{}`", self.path.display()))?;
        Ok(lines.len())
    }
}
