//! The story: a task to read May's logs, and everything else its token is tried for.

use std::fs;

use harness::{
    Result,
    envoy::Envoy,
    error::{IoContext, unexpected},
    wait,
};
use serde_json::json;

use crate::{
    curl::{Answer, Curl},
    report::{Outcome, Report},
    tokens,
    world::World,
};

const MAY: &str = "/my-bucket/logs/2026-05/app.log";
const MAY_LIST: &str = "/my-bucket?prefix=logs/2026-05/";
const JUNE: &str = "/my-bucket/logs/2026-06/app.log";

/// One path through the mesh: how it is called and which Envoy it is.
struct Road<'w> {
    name: &'static str,
    envoy: &'w Envoy,
}

/// Plays the whole story on both paths.
///
/// # Errors
/// A part failed; a wrong verdict is no error but a cross in the report.
pub(crate) async fn tell(world: &World, report: &mut Report) -> Result<()> {
    ask(world, report).await?;
    let roads = [
        Road { name: "the wasm filter", envoy: &world.wasm },
        Road { name: "ext_authz", envoy: &world.ext_authz },
    ];
    for road in &roads {
        walk(world, road, report).await?;
    }
    for road in &roads {
        expire(world, road, report).await?;
    }
    Ok(())
}

/// What the server gives and what it does not.
async fn ask(world: &World, report: &mut Report) -> Result<()> {
    report.chapter("A task token is issued: read May's logs, list May's logs");
    let request = tokens::request(world, &tokens::grants(), 300);
    let answer = request.run(world.scratch()).await?;
    report.add(Outcome {
        what: "within the client's ceiling",
        request: format!("POST /oauth2/token  authorization_details={}", tokens::grants()),
        wanted: "200".into(),
        got: answer.summary(),
        why: "every grant is covered by what the policy lets this client request",
    });
    let greedy = json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://**"]}]);
    let answer = tokens::request(world, &greedy, 300).run(world.scratch()).await?;
    let error = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
    report.add(Outcome {
        what: "over the client's ceiling",
        request: format!("POST /oauth2/token  authorization_details={greedy}"),
        wanted: "400 invalid_authorization_details".into(),
        got: format!(
            "{} {}",
            answer.status,
            error.get("error").and_then(|error| error.as_str()).unwrap_or("?")
        ),
        why: "no entry of `may_request` covers all of S3",
    });
    Ok(())
}

/// Everything but expiry, on one path.
async fn walk(world: &World, road: &Road<'_>, report: &mut Report) -> Result<()> {
    report.chapter(&format!("Through Envoy with {}", road.name));
    let token = tokens::issue(world, 300).await?;
    let bearer = format!("authorization: Bearer {token}");
    let to = |path: &str| Ok::<_, harness::Error>(Curl::new(&url(road, path)?).header("host: logs.internal"));
    let with_token = |path: &str| Ok::<_, harness::Error>(to(path)?.header(&bearer));

    let file = world.buckets.join(MAY.trim_start_matches('/'));
    let content = fs::read(&file).context(|| format!("read `{}`", file.display()))?;
    let read =
        |answer: &Answer| if answer.body == content { "200 and the file" } else { "another body" }.to_owned();
    let listed = |answer: &Answer| {
        let keys = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap_or_default();
        if keys.get("keys") == Some(&json!(["logs/2026-05/app.log", "logs/2026-05/worker.log"])) {
            "200 and May's keys"
        } else {
            "another body"
        }
        .to_owned()
    };
    try_allowed(
        world,
        report,
        "reads May",
        with_token(MAY)?,
        "200 and the file",
        read,
        "granted: s3:GetObject",
    )
    .await?;
    try_allowed(
        world,
        report,
        "lists May",
        with_token(MAY_LIST)?,
        "200 and May's keys",
        listed,
        "granted: s3:ListBucket with this prefix",
    )
    .await?;
    try_allowed(
        world,
        report,
        "health needs no token",
        to("/healthz")?,
        "200",
        Answer::summary,
        "the policy exempts it",
    )
    .await?;

    let refused: Vec<(&'static str, Curl, &str, &'static str)> = vec![
        ("June", with_token(JUNE)?, "403 not_granted", "no grant covers that resource"),
        (
            "another bucket",
            with_token("/other-bucket/logs/2026-05/app.log")?,
            "403 not_granted",
            "no grant covers that resource",
        ),
        (
            "listing without the prefix",
            with_token("/my-bucket")?,
            "403 constraint_violated",
            "the grant needs `prefix` to be May's",
        ),
        (
            "listing June",
            with_token("/my-bucket?prefix=logs/2026-06/")?,
            "403 constraint_violated",
            "the grant needs `prefix` to be May's",
        ),
        (
            "a write",
            with_token(MAY)?.with("-X", "PUT").with("-d", "gone"),
            "403 no_route",
            "the policy has no rule for PUT",
        ),
        (
            "a traversal",
            with_token("/my-bucket/logs/2026-05/../2026-06/app.log")?,
            "400 ambiguous_request",
            "a dot segment reads two ways",
        ),
        (
            "an encoded traversal",
            with_token("/my-bucket/logs/2026-05/%2e%2e/2026-06/app.log")?,
            "400 ambiguous_request",
            "so does an encoded one",
        ),
        (
            "an encoded slash",
            with_token("/my-bucket/logs/2026-05%2F..%2F2026-06/app.log")?,
            "400 ambiguous_request",
            "and an encoded slash",
        ),
        (
            "an undeclared query name",
            with_token(&format!("{MAY}?acl"))?,
            "400 ambiguous_request",
            "the rule declares no `acl`",
        ),
        ("a stranger without a token", to(MAY)?, "401 missing_token", "nothing opens without one"),
        (
            "a stranger who says who they are",
            to(MAY)?
                .header("x-writ-task: task-1")
                .header("x-writ-agent: spiffe://example.org/agent/janitor-1"),
            "401 missing_token",
            "`x-writ-*` from a client counts for nothing",
        ),
        (
            "a stranger who names an exempt path",
            to(MAY)?.header("x-original-url: /healthz").header("x-envoy-original-path: /healthz"),
            "401 missing_token",
            "only the real path counts",
        ),
        (
            "a stranger who names another method",
            with_token(JUNE)?.header("x-http-method-override: DELETE"),
            "400 ambiguous_request",
            "an override reads two ways",
        ),
        (
            "two tokens",
            with_token(MAY)?.header("authorization: Bearer other"),
            "400 malformed_request",
            "one request has one token",
        ),
        (
            "a token in the query",
            to(&format!("{MAY}?access_token={token}"))?,
            "400 malformed_request",
            "a token in a URL ends up in logs",
        ),
        (
            "a forged token",
            to(MAY)?.header(&format!("authorization: Bearer {}", tokens::forge(&token)?)),
            "401 bad_signature",
            "signed by a key that is not ours",
        ),
        (
            "a tampered token",
            to(JUNE)?.header(&format!("authorization: Bearer {}", tokens::tamper(&token)?)),
            "401 bad_signature",
            "May was changed to June after signing",
        ),
    ];
    for (what, curl, wanted, why) in refused {
        let got = curl.run(world.scratch()).await?.summary();
        report.add(Outcome { what, request: curl.short(), wanted: wanted.into(), got, why });
    }
    Ok(())
}

/// A token works until it ends, and not after.
async fn expire(world: &World, road: &Road<'_>, report: &mut Report) -> Result<()> {
    report.chapter(&format!("A token of three seconds, through Envoy with {}", road.name));
    let token = tokens::issue(world, 3).await?;
    let curl = Curl::new(&url(road, MAY)?)
        .header("host: logs.internal")
        .header(&format!("authorization: Bearer {token}"));
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

async fn try_allowed(
    world: &World,
    report: &mut Report,
    what: &'static str,
    curl: Curl,
    wanted: &str,
    describe: impl Fn(&Answer) -> String,
    why: &'static str,
) -> Result<()> {
    let answer = curl.run(world.scratch()).await?;
    let got = if answer.status == 200 { describe(&answer) } else { answer.summary() };
    report.add(Outcome { what, request: curl.short(), wanted: wanted.into(), got, why });
    Ok(())
}

fn url(road: &Road<'_>, path: &str) -> Result<String> {
    Ok(format!("http://{}{path}", road.envoy.listener("writ")?))
}

/// Prints what to try while everything stays up.
///
/// # Errors
/// No token can be had.
pub(crate) async fn invite(world: &World) -> Result<()> {
    let shell = |line: String| println!("{line}");
    let details = tokens::request(world, &tokens::grants(), 900);
    println!("\nA token for May's logs, for 15 minutes:\n");
    shell(format!("TOKEN=$({} -s | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')", details.command()));
    for (name, envoy) in [("the wasm filter", &world.wasm), ("ext_authz", &world.ext_authz)] {
        let address = envoy.listener("writ")?;
        println!("\nThrough Envoy with {name}:\n");
        for (path, says) in [(MAY, "allowed"), (MAY_LIST, "allowed"), (JUNE, "403 not_granted")] {
            shell(format!(
                "curl -i -H 'host: logs.internal' -H \"authorization: Bearer $TOKEN\" 'http://{address}{path}'   # {says}"
            ));
        }
        shell(format!("curl -i -H 'host: logs.internal' 'http://{address}{MAY}'   # 401 missing_token"));
        shell(format!("curl -s 'http://{}/stats?filter=wasmcustom|ext_authz'   # counters", envoy.admin));
    }
    println!("\nCtrl-C stops everything.");
    // The lines above are worth nothing if the first of them fails.
    tokens::issue(world, 900)
        .await
        .map(drop)
        .map_err(|error| unexpected(format!("the printed request fails: {error}")))
}
