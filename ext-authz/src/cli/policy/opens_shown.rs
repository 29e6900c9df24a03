//! What grants open, as text and as JSON.

use policy::scope::{Condition, Example, OpenParam, Opening};
use serde::Serialize;
use serde_json::{Value, json};
use verdict::document::ParamType;

use super::{
    diff::bound,
    opens::{Asked, Whose},
};
use crate::cli::{
    output::{STRONG, paint},
    words::{Plain, grant_lines},
};

/// For each grant what it is, and below it what it opens.
pub(super) fn lines(asked: &[Asked<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    for Asked { whose, grant, opens } in asked {
        let heading = match whose {
            Whose::Typed(number) => format!("grant {number}: {}", grant_lines(grant).join(" ")),
            Whose::Client { name, ceiling, place } => {
                let place =
                    place.map(|place| format!(" ({}:{})", place.file, place.line)).unwrap_or_default();
                format!("client {name} may request {}{place}", bound(ceiling))
            }
        };
        lines.push(paint(STRONG, Plain(&heading)));
        if opens.is_empty() {
            lines.push("  opens nothing".to_owned());
        }
        for opening in opens {
            lines.extend(opening_lines(opening).iter().map(|line| format!("  {}", Plain(line))));
        }
    }
    lines
}

fn opening_lines(opening: &Opening<'_>) -> Vec<String> {
    let Opening { host, rule, place, path, action, resource, conditions, params, except, example } = opening;
    let place = place.map(|place| format!(" ({}:{})", place.file, place.line)).unwrap_or_default();
    let mut lines = vec![
        format!("{} {path} at {}{place}", rule.method, host.names.join(", ")),
        format!("  means    {action} on {resource}"),
    ];
    lines.extend(conditions.iter().map(|Condition { of, is }| format!("  where    {of} is {is}")));
    lines.extend(params.iter().map(|param| format!("  param    {}", parameter(param))));
    lines.extend(except.iter().map(|path| format!("  except   {path}, where another rule decides")));
    lines.extend(member_lines(members(rule, &["method", "path", "action", "resource", "params"])));
    lines.extend(member_lines(members(host, &["names", "rules", "max_staleness"])));
    if let Some(Example { method, host, path, headers }) = example {
        let headers: String =
            headers.iter().map(|(name, value)| format!(" --header '{name}: {value}'")).collect();
        lines.push(format!("  example  {method} {host} {path}{headers}"));
    }
    lines
}

fn parameter(param: &OpenParam<'_>) -> String {
    let OpenParam { name, from, kind, must } = param;
    let kind = match kind {
        ParamType::String => "",
        ParamType::Number => ", a number",
        ParamType::Boolean => ", true or false",
    };
    match must {
        // As grants are written: nothing is shorter, and nothing else can be copied.
        Some(must) => {
            format!("{name} {} (from {from}{kind})", serde_json::to_string(must).unwrap_or_default())
        }
        None => format!("{name} anything (from {from}{kind})"),
    }
}

/// What else a rule or host says, in its wire form.
fn members(document: &impl Serialize, known: &[&str]) -> Vec<(String, Value)> {
    let Ok(Value::Object(members)) = serde_json::to_value(document) else { return Vec::new() };
    members.into_iter().filter(|(name, _)| !known.contains(&name.as_str())).collect()
}

/// The same in words, without what is as always.
fn member_lines(members: Vec<(String, Value)>) -> impl Iterator<Item = String> {
    let usual = [Value::Null, json!("none"), json!("enforce"), json!([]), json!({})];
    members.into_iter().filter(move |(_, value)| !usual.contains(value)).map(|(name, value)| match value {
        Value::String(text) => format!("  {name:<8} {text}"),
        value => format!("  {name:<8} {value}"),
    })
}

/// All of it, with whole rules: members that are not named here are there all the same.
pub(super) fn json(asked: &[Asked<'_>]) -> Value {
    let grants = asked.iter().map(|Asked { whose, grant, opens }| {
        let opens: Vec<_> = opens.iter().map(opening).collect();
        match whose {
            Whose::Typed(_) => json!({"grant": grant, "opens": opens}),
            Whose::Client { name, ceiling, place } => json!({
                "client": name, "file": place.map(|place| &place.file), "line": place.map(|place| place.line),
                "grant": grant, "max_ttl": ceiling.max_ttl.map(|ttl| ttl.as_secs()),
                "max_depth": ceiling.max_depth, "opens": opens,
            }),
        }
    });
    json!({"grants": grants.collect::<Vec<_>>()})
}

fn opening(opening: &Opening<'_>) -> Value {
    let Opening { host, rule, place, path, action, resource, conditions, params, except, example } = opening;
    let conditions = conditions.iter().map(|Condition { of, is }| json!({"of": of, "is": is}));
    let params = params.iter().map(|OpenParam { name, from, kind, must }| {
        json!({"name": name, "from": from, "type": kind, "must": must})
    });
    let example = example.as_ref().map(|Example { method, host, path, headers }| {
        json!({"method": method, "host": host, "path": path, "headers": headers})
    });
    let host_members = members(host, &["names", "rules"]);
    json!({
        "hosts": host.names, "host": Value::from_iter(host_members),
        "method": rule.method, "path": path, "action": action, "resource": resource,
        "where": conditions.collect::<Vec<_>>(), "params": params.collect::<Vec<_>>(), "except": except,
        "example": example, "rule": rule,
        "file": place.map(|place| &place.file), "line": place.map(|place| place.line),
    })
}
