//! *delegation*: a janitor's task hands one file on to a reader; then the task is completed while both work, and every
//! worker of every Envoy lets go of both tokens.
//!
//! `policies/logs.yaml` says who may delegate to whom.

use std::time::{Duration, Instant};

use harness::{
    Result,
    api::{ACCESS_TOKEN, Caller, Client, TOKEN_EXCHANGE},
    error::unexpected,
    http::{Payload, RawRequest},
    paths,
};
use serde_json::{Value, json};

use super::trail::{self, Sent};
use crate::{
    curl::{Answer, Curl},
    hammer::{Hammer, Seens},
    report::{Outcome, Report},
    road::{Road, Visit, roads},
    world::World,
};

const CLIENT: &str = "log-janitor";
const HOST: &str = "logs.internal";
const JANITOR: &str = "spiffe://example.org/agent/janitor-1";
const READER: &str = "spiffe://example.org/agent/reader-1";
const APP: &str = "/my-bucket/logs/2026-05/app.log";
const WORKER: &str = "/my-bucket/logs/2026-05/worker.log";
const LIST: &str = "/my-bucket?prefix=logs/2026-05/";
/// Answers of each worker to each token, before the task is completed and after.
const BEFORE: usize = 20;
const AFTER: usize = 10;
/// Requests that pass in [`work`], on each path.
const ALLOWED: usize = 2;

/// A task with what it handed on.
struct Family {
    task: String,
    janitor: String,
    reader: String,
}

/// Plays the story on both paths at once: there is one task, and one end of it.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("delegation: a janitor's task to read May's logs, one of them by a reader");
    let family = begin(world, report).await?;
    for road in &roads(world) {
        report.note(&format!("through {}:", road.name));
        work(world, road, &family, report).await?;
    }
    report.chapter("delegation: the task is completed while both hammer every worker of both Envoys");
    let seen = complete(world, &family, report).await?;
    after(world, &family, report).await?;
    report.chapter("delegation: the task's actions, out of the audit log");
    let mut sent = Sent { allowed: ALLOWED * seen.len(), on_the_way: 0 };
    for seen in &seen {
        sent.allowed += seen.allowed + seen.cut;
        sent.on_the_way += seen.connections;
    }
    trail::tell(world, &family.task, &sent, report).await
}

/// The task, and what is handed on of it.
async fn begin(world: &World, report: &mut Report) -> Result<Family> {
    let body = start_body();
    let started = start(world)?.run(world.scratch()).await?;
    report.add(Outcome {
        what: "the janitor's task",
        request: format!("POST /v1/tasks  {body}"),
        wanted: "201".into(),
        got: started.summary(),
        why: "the policy lets this client start tasks for janitors",
    });
    let started = started.json();
    let text = |place: &str| started.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let none = || unexpected(format!("no task: {started}"));
    let (task, janitor) = (text("/task/id").ok_or_else(none)?, text("/access_token").ok_or_else(none)?);

    let delegated = exchange(world, &janitor, READER, &app_grants())?.run(world.scratch()).await?;
    let why = "a token of the reader's own, narrower than the janitor's";
    report.add(exchanged("one file for the reader", READER, &app_grants(), "200", &delegated, why));
    let body = delegated.json();
    let reader = body.get("access_token").and_then(Value::as_str);
    let reader = reader.ok_or_else(|| unexpected(format!("no token: {body}")))?.to_owned();
    for (what, holder, agent, grants, wanted, why) in [
        (
            "June for the reader",
            &janitor,
            READER,
            self::grants("s3://my-bucket/logs/2026-06/**"),
            "400 invalid_authorization_details",
            "nobody hands on what it does not have",
        ),
        (
            "the other file, by the reader",
            &reader,
            READER,
            self::grants("s3://my-bucket/logs/2026-05/worker.log"),
            NOT_TO_WHOM,
            "the policy lets janitors delegate, not readers",
        ),
    ] {
        let refused = exchange(world, holder, agent, &grants)?.run(world.scratch()).await?;
        report.add(exchanged(what, agent, &grants, wanted, &refused, why));
    }
    Ok(Family { task, janitor, reader })
}

/// What the server says of a delegation that the policy does not know.
const NOT_TO_WHOM: &str = "400 unauthorized_client";
/// What it says of a token that is revoked.
const NO_MORE: &str = "400 invalid_request";

fn start_body() -> Value {
    let grants = grants("s3://my-bucket/logs/2026-05/**");
    json!({"agent": JANITOR, "expires_in": 300, "note": "look through the logs of May", "grants": grants})
}

/// The request for a janitor's task.
fn start(world: &World) -> Result<Curl> {
    Ok(Curl::new(&format!("http://{}/v1/tasks", world.server.listeners.http))
        .with("-u", &format!("{CLIENT}:{}", world.secret(CLIENT)?))
        .header("content-type: application/json")
        .with("-d", &start_body().to_string()))
}

/// Prints how to end a task by hand.
///
/// # Errors
/// The policy knows no such client.
pub(super) fn invite(world: &World) -> Result<()> {
    let shell = |line: String| println!("{line}");
    let secret = world.secret(CLIENT)?;
    println!(
        "\ndelegation: a task of 5 minutes; once it is completed every worker of both refuses its token:\n"
    );
    shell(format!("STARTED=$({} -s)", start(world)?.command()));
    shell(r#"TOKEN=$(echo "$STARTED" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"#.to_owned());
    shell(r#"TASK=$(echo "$STARTED" | grep -o '"id":"[^"]*"' | head -1 | cut -d '"' -f 4)"#.to_owned());
    let visit = format!("curl -i -H 'host: {HOST}' -H \"authorization: Bearer $TOKEN\" \"$ENVOY{APP}\"");
    shell(format!("{visit}   # the file"));
    let complete = format!("http://{}/v1/tasks/$TASK/complete", world.server.listeners.http);
    shell(format!("curl -X POST -u {CLIENT}:{secret} \"{complete}\""));
    shell(format!("{visit}   # 401 revoked"));
    let (writ, data) = (paths::writ()?, world.setup.data.display());
    shell(format!("{} audit query --task \"$TASK\" --data-dir {data}", writ.display()));
    Ok(())
}

/// Each does its part, and no more.
async fn work(world: &World, road: &Road<'_>, family: &Family, report: &mut Report) -> Result<()> {
    let janitor = Visit::with(world, road, HOST, &family.janitor)?;
    let reader = Visit::with(world, road, HOST, &family.reader)?;
    let any = || ("and the file", |answer: &Answer| !answer.body.is_empty());
    let why = "granted: all of May";
    janitor.allowed(report, "the janitor reads the other file", janitor.get(WORKER), any(), why).await?;
    let why = "granted: this file";
    reader.allowed(report, "the reader reads its file", reader.get(APP), any(), why).await?;
    let (wanted, why) = ("403 not_granted", "the janitor's grant is not the reader's");
    reader.refused(report, "and not the other one", reader.get(WORKER), wanted, why).await
}

/// The end of the task, and when each path knew of it.
async fn complete(world: &World, family: &Family, report: &mut Report) -> Result<Vec<Seens>> {
    let requests = [listing(&family.janitor), listing(&family.reader)];
    let roads = roads(world);
    let mut hammers = Vec::new();
    for road in &roads {
        hammers.push(Hammer::start(road.envoy, &requests).await?);
    }
    for hammer in &hammers {
        hammer.allowed(BEFORE).await?;
    }
    let client = Client(Caller::basic(world.server.listeners.http, CLIENT, world.secret(CLIENT)?));
    let completed = client.complete(&family.task).await;
    let acknowledged = Instant::now();
    report.add(Outcome {
        what: "the task is completed",
        request: format!("POST /v1/tasks/{}/complete", family.task),
        wanted: "acknowledged".into(),
        got: completed.map_or_else(|error| error.to_string(), |_| "acknowledged".into()),
        why: "it is in the store, and in the audit log",
    });
    let mut all = Vec::new();
    for (road, hammer) in roads.iter().zip(hammers) {
        hammer.revoked(AFTER).await?;
        let seen = hammer.end().await?;
        report.add(Outcome {
            what: road.name,
            request: format!(
                "GET {LIST} with either token, at each of {} workers without a pause",
                seen.workers
            ),
            wanted: "200, then 401 revoked for good".into(),
            got: seen.verdict().to_owned(),
            why: "once a worker knows, it never allows again",
        });
        // The two clocks are one; an answer may overtake the acknowledgement.
        let late = seen.turned.map(|turned| turned.saturating_duration_since(acknowledged));
        report.note(&format!("    {}", in_words(&seen, late)));
        all.push(seen);
    }
    Ok(all)
}

fn in_words(seen: &Seens, late: Option<Duration>) -> String {
    let Seens { workers, allowed, revoked, cut, .. } = seen;
    let when = match late {
        Some(Duration::ZERO) => "no later than the acknowledgement".to_owned(),
        Some(late) => format!("{:.1} ms after the acknowledgement", late.as_secs_f64() * 1000.0),
        None => "never".to_owned(),
    };
    format!(
        "the last of {workers} workers denied {when}; {allowed} requests were allowed before, {cut} ended on the way, \
         {revoked} denied since"
    )
}

/// Nothing else is to be had.
async fn after(world: &World, family: &Family, report: &mut Report) -> Result<()> {
    let refused = exchange(world, &family.janitor, READER, &app_grants())?.run(world.scratch()).await?;
    let (wanted, why) = (NO_MORE, "a task that has ended gives no tokens");
    report.add(exchanged("another token for the reader", READER, &app_grants(), wanted, &refused, why));
    Ok(())
}

/// A token exchange (RFC 8693).
fn exchange(world: &World, token: &str, agent: &str, grants: &Value) -> Result<Curl> {
    Ok(Curl::new(&format!("http://{}/oauth2/token", world.server.listeners.http))
        .with("-u", &format!("{CLIENT}:{}", world.secret(CLIENT)?))
        .with("-d", &format!("grant_type={TOKEN_EXCHANGE}"))
        .with("-d", &format!("subject_token={token}"))
        .with("-d", &format!("subject_token_type={ACCESS_TOKEN}"))
        .with("--data-urlencode", &format!("agent={agent}"))
        .with("--data-urlencode", &format!("authorization_details={grants}")))
}

fn exchanged(
    what: &'static str,
    agent: &str,
    grants: &Value,
    wanted: &str,
    answer: &Answer,
    why: &'static str,
) -> Outcome {
    let request = format!(
        "POST /oauth2/token  grant_type={TOKEN_EXCHANGE} agent={agent} authorization_details={grants}"
    );
    Outcome { what, request, wanted: wanted.into(), got: answer.summary(), why }
}

/// Read these files, and list May's.
fn grants(files: &str) -> Value {
    json!([
        {"type": "task_grant", "actions": ["s3:GetObject"], "resources": [files]},
        {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://my-bucket"],
         "constraints": {"prefix": {"eq": "logs/2026-05/"}}},
    ])
}

fn app_grants() -> Value {
    grants("s3://my-bucket/logs/2026-05/app.log")
}

fn listing(token: &str) -> RawRequest {
    RawRequest {
        method: b"GET".to_vec(),
        target: LIST.into(),
        authority: Some(HOST.into()),
        headers: vec![(b"authorization".to_vec(), format!("Bearer {token}").into_bytes())],
        payload: Payload::None,
    }
}
