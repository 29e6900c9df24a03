//! `writ policy explain` of a request.

use serde_json::{Value, json};
use verdict::{
    Denial,
    document::{Mode, ParamType},
};

use super::{args::ExplainArgs, load, opens};
use crate::{
    cli::{Done, exit::Failure, output},
    trial::{BodyLine, Explanation, Parameter, RequestLine, explain},
};

pub(super) fn run(args: &ExplainArgs) -> Done {
    let (Some(method), Some(host), Some(path)) = (&args.method, &args.host, &args.path) else {
        return opens::run(args);
    };
    let (_, policy) = load(&args.places)?;
    let line = RequestLine {
        method: method.clone(),
        host: host.clone(),
        path: path.clone(),
        headers: args.header.clone(),
        body: args.data.clone().map_or(BodyLine::Known(args.body), BodyLine::Text),
    };
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error);
    let (shown, is_explained) = match explain(&policy, &line).map_err(|error| failed(&error))? {
        Ok(explanation) if args.json => (explained(&explanation).to_string(), true),
        Ok(explanation) => (rows(&explanation), true),
        Err(denial) if args.json => (denied(&denial).to_string(), false),
        Err(denial) => {
            let denied = format!("denied: {}: {}", denial.code().as_str(), denial.detail());
            return Err(Failure::failed(&denied));
        }
    };
    output::result(&shown).map_err(|error| failed(&error))?;
    if is_explained { Ok(()) } else { Err(Failure::failed_as_shown()) }
}

fn rows(explanation: &Explanation<'_>) -> String {
    let Explanation { host, rule, place, meaning } = explanation;
    let place = place.map(|place| format!(" ({}:{})", place.file, place.line)).unwrap_or_default();
    let mut rows = vec![
        format!("rule      {} {}{place}", rule.method, rule.path),
        format!("audience  {}", host.audience),
    ];
    if let Mode::Shadow { until } = host.mode {
        rows.push(format!("mode      shadow until {until} (Unix seconds): denials are recorded only"));
    }
    match meaning {
        None => rows.push("action    none: no token is needed".to_owned()),
        Some(meaning) => {
            rows.push(format!("action    {}", meaning.action));
            rows.push(format!("resource  {}", meaning.resource));
            rows.extend(meaning.params.iter().map(parameter));
        }
    }
    rows.join("\n")
}

fn parameter(parameter: &Parameter) -> String {
    let Parameter { name, from, kind, value } = parameter;
    match value {
        // Quoted as JSON: a value may hold anything that a query can.
        Some(value) => format!("param     {name} = {} (from {from})", Value::from(value.as_str())),
        None => {
            let kind = match kind {
                ParamType::String => "text",
                ParamType::Number => "number",
                ParamType::Boolean => "boolean",
            };
            format!("param     {name}: no {kind} in {from}, so no constraint of it holds")
        }
    }
}

fn explained(explanation: &Explanation<'_>) -> Value {
    let Explanation { host, rule, place, meaning } = explanation;
    json!({
        "matches": true,
        "rule": {
            "method": rule.method, "path": rule.path,
            "file": place.map(|place| &place.file), "line": place.map(|place| place.line),
        },
        "audience": host.audience,
        "mode": host.mode,
        "token_needed": meaning.is_some(),
        "meaning": meaning,
    })
}

fn denied(denial: &Denial) -> Value {
    json!({"matches": false, "code": denial.code().as_str(), "detail": denial.detail()})
}
