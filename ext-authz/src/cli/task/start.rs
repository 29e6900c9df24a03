//! `writ task start`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    answer::{Task, raw, read},
    args::StartArgs,
};
use crate::{
    cli::{Done, exit::Failure, output, words::Plain},
    clock,
};

#[derive(Serialize)]
struct Body<'b> {
    grants: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Started {
    task: Task,
    access_token: String,
}

pub(super) fn run(args: &StartArgs) -> Done {
    if args.client.takes_input() && args.grants.takes_input() {
        return Err(Failure::failed(&"standard input is either the secret or the grants"));
    }
    let StartArgs { client, grants, parent, expires_in, audience, subject, agent, note, cnf, json } = args;
    let body = Body {
        grants: raw("grants", grants.text()?)?,
        parent: parent.as_deref(),
        subject: subject.as_deref(),
        agent: agent.as_deref(),
        expires_in: expires_in.map(|time| time.as_secs()),
        audience: audience.as_deref(),
        note: note.as_deref(),
        cnf: cnf.clone().map(|cnf| raw("--cnf", cnf)).transpose()?,
    };
    let body = serde_json::to_string(&body).map_err(|error| Failure::failed(&error))?;
    let answer = client.api()?.post("/v1/tasks", body)?;
    let text = if *json {
        answer.to_string()
    } else {
        let Started { task, access_token } = read(answer)?;
        let token = format!("{:<11} {}", "token", Plain(&access_token));
        [task.lines(clock::now().0), vec![token]].concat().join("\n")
    };
    output::result(&text).map_err(|error| Failure::failed(&error))
}
