//! Tokens: asked for as an orchestrator would, forged as a thief would.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{Result, error::unexpected, forge::Key};
use serde_json::Value;

use crate::{
    curl::Curl,
    report::{Outcome, Report},
    world::World,
};

/// What a token is asked for: a client of the policy, and what the task may do.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) client: &'static str,
    pub(crate) grants: Value,
}

/// The request for a token (RFC 6749 client credentials, RFC 9396 details).
///
/// # Errors
/// The policy knows no such client.
pub(crate) fn request(world: &World, task: &Task, seconds: u32) -> Result<Curl> {
    let Task { client, grants } = task;
    Ok(Curl::new(&format!("http://{}/oauth2/token", world.server.listeners.http))
        .with("-u", &format!("{client}:{}", world.secret(client)?))
        .with("-d", "grant_type=client_credentials")
        .with("-d", &format!("expires_in={seconds}"))
        .with("--data-urlencode", &format!("authorization_details={grants}")))
}

/// Asks for a token and returns it.
///
/// # Errors
/// The server refuses.
pub(crate) async fn issue(world: &World, task: &Task, seconds: u32) -> Result<String> {
    let answer = request(world, task, seconds)?.run(world.scratch()).await?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = body.get("access_token").and_then(Value::as_str);
    let shown = String::from_utf8_lossy(&answer.body);
    token.map(str::to_owned).ok_or_else(|| unexpected(format!("no token: {} {shown}", answer.status)))
}

/// Asks for a token as a step of a story.
///
/// # Errors
/// No answer; a wrong one is a cross in the report.
pub(crate) async fn ask(
    world: &World,
    report: &mut Report,
    what: &'static str,
    task: &Task,
    wanted: &str,
    why: &'static str,
) -> Result<()> {
    let got = request(world, task, 300)?.run(world.scratch()).await?.summary();
    let request = format!("POST /oauth2/token  authorization_details={}", task.grants);
    report.add(Outcome { what, request, wanted: wanted.into(), got, why });
    Ok(())
}

/// The same header and claims, signed by a key of the thief's own.
///
/// # Errors
/// The token is no JWS.
pub(crate) fn forge(token: &str) -> Result<String> {
    let (signing_input, _) =
        token.rsplit_once('.').ok_or_else(|| unexpected("the token has no signature"))?;
    let signature = Key::from_seed([7; 32]).sign(signing_input.as_bytes());
    Ok(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The token with `to` written in its claims wherever it says `from`.
///
/// # Errors
/// The token is no JWS.
pub(crate) fn tamper(token: &str, from: &str, to: &str) -> Result<String> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unexpected("the token is no JWS"));
    };
    let claims = URL_SAFE_NO_PAD.decode(payload).map_err(unexpected)?;
    let changed = String::from_utf8_lossy(&claims).replace(from, to);
    Ok(format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed)))
}
