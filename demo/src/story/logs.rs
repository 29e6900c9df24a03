//! *logs*: a task to read May's logs, from a store whose paths say what is read.
//!
//! `policies/logs.yaml` says what each request means.

use std::fs;

use harness::{Result, error::IoContext, wait};
use serde_json::json;

use crate::{
    curl::Answer,
    invite::Invitation,
    report::{Outcome, Report},
    road::{Road, Visit, roads},
    tokens::{self, Task},
    world::World,
};

const HOST: &str = "logs.internal";
const MAY: &str = "/my-bucket/logs/2026-05/app.log";
const MAY_LIST: &str = "/my-bucket?prefix=logs/2026-05/";
const JUNE: &str = "/my-bucket/logs/2026-06/app.log";

/// Read May, list May.
fn task() -> Task {
    let grants = json!([
        {"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]},
        {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://my-bucket"],
         "constraints": {"prefix": {"eq": "logs/2026-05/"}}},
    ]);
    Task { client: "log-janitor", grants }
}

/// Plays the story on both paths.
///
/// # Errors
/// A part failed.
pub(super) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("logs: a task token is issued: read May's logs, list May's logs");
    ask(world, report).await?;
    for road in &roads(world) {
        report.chapter(&format!("logs: through Envoy with {}", road.name));
        let visit = Visit::start(world, road, HOST, &task(), 300).await?;
        work(world, &visit, report).await?;
        stray(&visit, report).await?;
        bend(&visit, report).await?;
        pretend(&visit, report).await?;
    }
    for road in &roads(world) {
        report.chapter(&format!("logs: a token of three seconds, through Envoy with {}", road.name));
        expire(world, road, report).await?;
    }
    Ok(())
}

/// What the server gives and what it does not.
async fn ask(world: &World, report: &mut Report) -> Result<()> {
    tokens::ask(
        world,
        report,
        "within the client's ceiling",
        &task(),
        "200",
        "every grant is covered by what the policy lets this client request",
    )
    .await?;
    let grants = json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://**"]}]);
    tokens::ask(
        world,
        report,
        "over the client's ceiling",
        &Task { grants, ..task() },
        "400 invalid_authorization_details",
        "no entry of `may_request` covers all of S3",
    )
    .await
}

/// What the task is for.
async fn work(world: &World, visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let file = world.buckets.join(MAY.trim_start_matches('/'));
    let content = fs::read(&file).context(|| format!("read `{}`", file.display()))?;
    let is_file = |answer: &Answer| answer.body == content;
    let is_list = |answer: &Answer| {
        answer.json().get("keys") == Some(&json!(["logs/2026-05/app.log", "logs/2026-05/worker.log"]))
    };
    let why = "granted: s3:GetObject";
    visit.allowed(report, "reads May", visit.get(MAY), ("and the file", is_file), why).await?;
    let why = "granted: s3:ListBucket with this prefix";
    visit.allowed(report, "lists May", visit.get(MAY_LIST), ("and May's keys", is_list), why).await?;
    let is_ok = |answer: &Answer| answer.body == b"ok\n";
    let why = "the policy exempts it";
    visit.allowed(report, "health needs no token", visit.stranger("/healthz"), ("and ok", is_ok), why).await
}

/// What the task is not for.
async fn stray(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let may_only = "the grant needs `prefix` to be May's";
    for (what, curl, wanted, why) in [
        ("June", visit.get(JUNE), "403 not_granted", "no grant covers that resource"),
        (
            "another bucket",
            visit.get("/other-bucket/logs/2026-05/app.log"),
            "403 not_granted",
            "no grant covers that resource",
        ),
        ("listing without the prefix", visit.get("/my-bucket"), "403 constraint_violated", may_only),
        ("listing June", visit.get("/my-bucket?prefix=logs/2026-06/"), "403 constraint_violated", may_only),
        (
            "a write",
            visit.get(MAY).with("-X", "PUT").with("-d", "gone"),
            "403 no_route",
            "the policy has no rule for PUT",
        ),
    ] {
        visit.refused(report, what, curl, wanted, why).await?;
    }
    Ok(())
}

/// Requests that can be read in two ways.
async fn bend(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    for (what, curl, why) in [
        (
            "a traversal",
            visit.get("/my-bucket/logs/2026-05/../2026-06/app.log"),
            "a dot segment reads two ways",
        ),
        (
            "an encoded traversal",
            visit.get("/my-bucket/logs/2026-05/%2e%2e/2026-06/app.log"),
            "so does an encoded one",
        ),
        (
            "an encoded slash",
            visit.get("/my-bucket/logs/2026-05%2F..%2F2026-06/app.log"),
            "and an encoded slash",
        ),
        ("an undeclared query name", visit.get(&format!("{MAY}?acl")), "the rule declares no `acl`"),
        (
            "another method by header",
            visit.get(JUNE).header("x-http-method-override: DELETE"),
            "an override reads two ways",
        ),
    ] {
        visit.refused(report, what, curl, "400 ambiguous_request", why).await?;
    }
    Ok(())
}

/// Callers who are not who they say they are.
async fn pretend(visit: &Visit<'_>, report: &mut Report) -> Result<()> {
    let forged = tokens::forge(visit.token())?;
    let tampered = tokens::tamper(visit.token(), "2026-05", "2026-06")?;
    for (what, curl, wanted, why) in [
        ("a stranger without a token", visit.stranger(MAY), "401 missing_token", "nothing opens without one"),
        (
            "a stranger who says who they are",
            visit
                .stranger(MAY)
                .header("x-writ-task: task-1")
                .header("x-writ-agent: spiffe://example.org/agent/janitor-1"),
            "401 missing_token",
            "`x-writ-*` from a client counts for nothing",
        ),
        (
            "a stranger who names an exempt path",
            visit.stranger(MAY).header("x-original-url: /healthz").header("x-envoy-original-path: /healthz"),
            "401 missing_token",
            "only the real path counts",
        ),
        (
            "two tokens",
            visit.get(MAY).header("authorization: Bearer other"),
            "400 malformed_request",
            "one request has one token",
        ),
        (
            "a token in the query",
            visit.stranger(&format!("{MAY}?access_token={}", visit.token())),
            "400 malformed_request",
            "a token in a URL ends up in logs",
        ),
        (
            "a forged token",
            visit.get_with(MAY, &forged),
            "401 bad_signature",
            "signed by a key that is not ours",
        ),
        (
            "a tampered token",
            visit.get_with(JUNE, &tampered),
            "401 bad_signature",
            "May was changed to June after signing",
        ),
    ] {
        visit.refused(report, what, curl, wanted, why).await?;
    }
    Ok(())
}

/// A token works until it ends, and not after.
async fn expire(world: &World, road: &Road<'_>, report: &mut Report) -> Result<()> {
    let visit = Visit::start(world, road, HOST, &task(), 3).await?;
    let curl = visit.get(MAY);
    let got = curl.run(world.scratch()).await?.summary();
    report.add(Outcome { what: "at once", request: curl.short(), wanted: "200".into(), got, why: "valid" });
    let last = wait::until("the token's end", || async {
        let answer = curl.run(world.scratch()).await?;
        Ok((answer.status != 200).then(|| answer.summary()))
    })
    .await?;
    report.add(Outcome {
        what: "after its `exp`",
        request: curl.short(),
        wanted: "401 expired".into(),
        got: last,
        why: "a task token ends by itself",
    });
    Ok(())
}

/// What to try of it.
pub(super) fn invitation() -> Invitation {
    Invitation {
        title: "logs: read and list May's logs",
        host: HOST,
        task: task(),
        tries: &[
            ("", MAY, "the file"),
            ("", MAY_LIST, "May's keys"),
            ("", JUNE, "403 not_granted"),
            ("-X DELETE ", MAY, "403 no_route"),
        ],
    }
}
