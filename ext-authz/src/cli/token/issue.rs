//! `writ token issue`.

use std::{env, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{GrantArgs, IssueArgs};
use crate::cli::{
    Done,
    exit::Failure,
    input, output,
    remote::{Address, Answer, Client},
    words::Plain,
};

/// The variable that may hold the client's secret.
const SECRET: &str = "WRIT_CLIENT_SECRET";

pub(super) fn run(args: &IssueArgs) -> Done {
    let stdin = Some(Path::new("-"));
    if args.secret_file.as_deref() == stdin && args.grants.grants.as_deref() == stdin {
        return Err(Failure::failed(&"standard input is either the secret or the grants"));
    }
    let address = match &args.server {
        Some(address) => address.clone(),
        None => Address::of_http(&args.places)?,
    };
    if !address.is_private() && !args.allow_plain_http {
        return Err(Failure::failed(&format!(
            "{address}: not without TLS: the client's secret could be read on the way; use `https`, or \
             --allow-plain-http where something else protects the way"
        )));
    }
    let authorization = basic(&args.client, &secret(args)?)?;
    let form = form(args)?;
    let answer = Client::new(address).post("/oauth2/token", authorization, form);
    let answer = answer.map_err(|error| Failure::failed(&error))?;
    output::result(&shown(&answer, args.json)?).map_err(|error| Failure::failed(&error))
}

fn secret(args: &IssueArgs) -> Result<String, Failure> {
    let secret = match &args.secret_file {
        Some(file) => input::read_text(file, "the client's secret")?,
        None => env::var(SECRET).map_err(|_| {
            Failure::failed(&format!("no secret: set the variable {SECRET}, or name a file by --secret-file"))
        })?,
    };
    if secret.is_empty() { Err(Failure::failed(&"the secret is empty")) } else { Ok(secret) }
}

/// RFC 6749 section 2.3.1: both in form encoding, then as RFC 7617 has it.
fn basic(client: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret)));
    HeaderValue::try_from(format!("Basic {pair}")).map_err(|error| Failure::failed(&error))
}

fn form(args: &IssueArgs) -> Result<String, Failure> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.append_pair("authorization_details", &grants(&args.grants)?);
    if let Some(time) = args.expires_in {
        form.append_pair("expires_in", &time.as_secs().to_string());
    }
    let optional = [
        ("audience", &args.audience),
        ("subject", &args.subject),
        ("agent", &args.agent),
        ("cnf", &args.cnf),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    Ok(form.finish())
}

/// The JSON list. What is in it is the server's to judge: it has the words for every mistake.
fn grants(args: &GrantArgs) -> Result<String, Failure> {
    let GrantArgs { grants, grant, action, resource } = args;
    if let Some(file) = grants {
        return input::read_text(file, "the grants");
    }
    if grant.is_empty() {
        return Ok(json!([{"type": "task_grant", "actions": action, "resources": resource}]).to_string());
    }
    // Each alone, so that one that is no JSON cannot become two with the text around it. Its text goes on as it is:
    // a repeated member is the server's to refuse.
    for text in grant {
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| Failure::failed(&format!("--grant: {error}")))?;
    }
    Ok(format!("[{}]", grant.join(",")))
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

fn shown(answer: &Answer, json: bool) -> Result<String, Failure> {
    let unreadable =
        || Failure::failed(&format!("the server answered {} and nothing to read", answer.status));
    if answer.status != StatusCode::OK {
        let Refused { error, error_description } =
            serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        return Err(Failure::failed(&format!("{}: {}", Plain(&error), Plain(&error_description))));
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    match body.get("access_token").and_then(Value::as_str) {
        Some(_) if json => Ok(body.to_string()),
        Some(token) => Ok(Plain(token).to_string()),
        None => Err(unreadable()),
    }
}
