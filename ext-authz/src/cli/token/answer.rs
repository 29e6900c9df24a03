//! Answers of the token endpoint.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{
    exit::Failure,
    remote::{Answer, RemoteError},
    words::Plain,
};

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What is shown of a token that was issued: itself, or the whole answer.
pub(super) fn token(answer: Result<Answer, RemoteError>, json: bool) -> Result<String, Failure> {
    let answer = accepted(answer)?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable(&answer))?;
    match body.get("access_token").and_then(Value::as_str) {
        Some(_) if json => Ok(body.to_string()),
        Some(token) => Ok(Plain(token).to_string()),
        None => Err(unreadable(&answer)),
    }
}

/// The answer, unless it is a refusal.
pub(super) fn accepted(answer: Result<Answer, RemoteError>) -> Result<Answer, Failure> {
    let answer = answer.map_err(|error| Failure::failed(&error))?;
    if answer.status == StatusCode::OK {
        return Ok(answer);
    }
    let Refused { error, error_description } =
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(&answer))?;
    Err(Failure::failed(&format!("{}: {}", Plain(&error), Plain(&error_description))))
}

fn unreadable(answer: &Answer) -> Failure {
    Failure::failed(&format!("the server answered {} and nothing to read", answer.status))
}
