//! Tokens: asked for as an orchestrator would, forged as a thief would.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{Result, error::unexpected, forge::Key};
use serde_json::{Value, json};

use crate::{
    curl::{Answer, Curl},
    world::{CLIENT, World},
};

/// What the task may do: read May, list May.
pub(crate) fn grants() -> Value {
    json!([
        {"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]},
        {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://my-bucket"],
         "constraints": {"prefix": {"eq": "logs/2026-05/"}}},
    ])
}

/// The request for a token (RFC 6749 client credentials, RFC 9396 details).
pub(crate) fn request(world: &World, grants: &Value, seconds: u32) -> Curl {
    Curl::new(&format!("http://{}/oauth2/token", world.server.listeners.http))
        .with("-u", &format!("{CLIENT}:{}", world.secret))
        .with("-d", "grant_type=client_credentials")
        .with("-d", &format!("expires_in={seconds}"))
        .with("--data-urlencode", &format!("authorization_details={grants}"))
}

/// Asks for a token and returns it.
///
/// # Errors
/// The server refuses.
pub(crate) async fn issue(world: &World, seconds: u32) -> Result<String> {
    let answer = request(world, &grants(), seconds).run(world.scratch()).await?;
    read(&answer)
}

fn read(answer: &Answer) -> Result<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = body.get("access_token").and_then(Value::as_str);
    let shown = String::from_utf8_lossy(&answer.body);
    token.map(str::to_owned).ok_or_else(|| unexpected(format!("no token: {} {shown}", answer.status)))
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

/// The token with its claims changed: June for May.
///
/// # Errors
/// The token is no JWS.
pub(crate) fn tamper(token: &str) -> Result<String> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unexpected("the token is no JWS"));
    };
    let claims = URL_SAFE_NO_PAD.decode(payload).map_err(unexpected)?;
    let changed = String::from_utf8_lossy(&claims).replace("2026-05", "2026-06");
    Ok(format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed)))
}
