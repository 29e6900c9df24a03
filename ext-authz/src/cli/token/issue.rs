//! `writ token issue`.

use std::path::Path;

use form_urlencoded::Serializer;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{GrantArgs, IssueArgs};
use crate::cli::{Done, exit::Failure, input, output, remote::Answer, words::Plain};

pub(super) fn run(args: &IssueArgs) -> Done {
    if args.client.takes_input() && args.grants.grants.as_deref() == Some(Path::new("-")) {
        return Err(Failure::failed(&"standard input is either the secret or the grants"));
    }
    let (client, authorization) = args.client.find()?;
    let answer = client.post_form("/oauth2/token", authorization, form(args)?);
    let answer = answer.map_err(|error| Failure::failed(&error))?;
    output::result(&shown(&answer, args.json)?).map_err(|error| Failure::failed(&error))
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
