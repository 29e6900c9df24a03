//! What grants open, in the words in which it is shown.

mod support;

use policy::scope::{Condition, Opening, opens};
use serde_json::json;
use support::{
    compiled,
    judge::{Judge, Line},
    with_rules,
};
use verdict::Grant;

/// A grant of these members.
fn grant(members: &str) -> Grant {
    let json = format!(r#"[{{"type":"task_grant",{members}}}]"#);
    Grant::parse_list(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}")).remove(0)
}

/// Openings in a line each: `METHOD path | action on resource | where ... | except ...`.
fn opened(rules: &[&str], grant: &Grant) -> Vec<String> {
    let policy = compiled(&with_rules(rules));
    let judge = Judge::of(&policy);
    let token = judge.token(std::slice::from_ref(grant));
    let openings = opens(&policy, grant);
    for opening in &openings {
        let example = opening.example.as_ref().unwrap_or_else(|| panic!("no example: {opening:?}"));
        let (host, path, headers) = (&example.host, &example.path, &example.headers);
        let decided = judge.decide(&token, &Line { method: &example.method, host, path, headers });
        assert!(decided.is_ok(), "{decided:?}: {opening:?}");
    }
    openings.iter().map(line).collect()
}

fn line(opening: &Opening<'_>) -> String {
    let Opening { rule, path, action, resource, conditions, except, .. } = opening;
    let mut line = format!("{} {path} | {action} on {resource}", rule.method);
    for Condition { of, is } in conditions {
        line += &format!(" | {of} is {is}");
    }
    for path in except {
        line += &format!(" | except {path}");
    }
    line
}

const STORE: [&str; 4] = [
    r#"{method: GET, path: "/{bucket}", action: "s3:List", resource: "s3://{bucket}"}"#,
    r#"{method: GET, path: "/{bucket}/{*key}", action: "s3:Get", resource: "s3://{bucket}/{key}"}"#,
    r#"{method: PUT, path: "/{bucket}/{*key}", action: "s3:Put", resource: "s3://{bucket}/{key}"}"#,
    r#"{method: HEAD, path: "/{bucket}/public/{name}", action: "s3:Head", resource: "s3://{bucket}/public/{name}"}"#,
];

#[test]
fn paths_are_narrowed_to_what_the_resources_leave() {
    for (members, expected) in [
        (
            r#""actions":["s3:Get"],"resources":["s3://b/logs/2026-05*"]"#,
            &["GET /b/logs/2026-05* | s3:Get on s3://b/logs/2026-05*"][..],
        ),
        (
            r#""actions":["s3:Get"],"resources":["s3://b/logs/**"]"#,
            &["GET /b/logs/{*key} | s3:Get on s3://b/logs/{*key}"],
        ),
        (
            r#""actions":["s3:Get"],"resources":["s3://**"]"#,
            &["GET /{bucket}/{*key} | s3:Get on s3://{bucket}/{*key} | except /{bucket}/public/{name}"],
        ),
        (
            r#""actions":["s3:Get"],"resources":["s3://b/public/*"]"#,
            // Of its own path, and so of another method: none is left.
            &[],
        ),
        (
            r#""actions":["s3:*"],"resources":["s3://b","s3://b/public/a"]"#,
            &["GET /b | s3:List on s3://b", "HEAD /b/public/a | s3:Head on s3://b/public/a"],
        ),
        (
            r#""actions":["s3:Put","s3:P*"],"resources":["s3://b/x","s3://b/**"]"#,
            &["PUT /b/{*key} | s3:Put on s3://b/{*key} | except /{bucket}/public/{name}"],
        ),
        (r#""actions":["s3:Get"],"resources":["s3://b"]"#, &[]),
        (r#""actions":["s3:Get"],"resources":["rds://b/x"]"#, &[]),
    ] {
        assert_eq!(opened(&STORE, &grant(members)), expected, "{members}");
    }
}

#[test]
fn values_from_elsewhere_are_conditions() {
    let rules = [
        r#"{method: GET, path: "/", query: {Action: required}, action: "rds:{query.Action}", resource: "rds://db"}"#,
        r#"{method: GET, path: "/t/{t}", action: "rds:Tag", resource: "rds://{header.x-zone}-{t}/x"}"#,
    ];
    assert_eq!(
        opened(&rules, &grant(r#""actions":["rds:Describe*"],"resources":["rds://db"]"#)),
        ["GET / | rds:Describe* on rds://db | query.Action is Describe*"]
    );
    assert_eq!(
        opened(&rules, &grant(r#""actions":["rds:*"],"resources":["rds://eu-one/*"]"#)),
        ["GET /t/{t} | rds:Tag on rds://{header.x-zone}-{t}/x | {header.x-zone}-{path.t} is eu-one"]
    );
    assert_eq!(opened(&rules, &grant(r#""actions":["rds:Tag"],"resources":["rds://eu/*"]"#)), [""; 0]);
}

#[test]
fn constraints_narrow_paths_and_close_what_they_contradict() {
    let rules = [
        r#"{method: GET, path: "/u/{user}", query: {n: optional}, action: "a:Read", resource: "a://u/{user}",
          params: {user: path.user, n: {from: query.n, type: number}}}"#,
    ];
    let with = |constraints: &str| {
        let members =
            format!(r#""actions":["a:Read"],"resources":["a://u/a*"],"constraints":{{{constraints}}}"#);
        opened(&rules, &grant(&members))
    };
    assert_eq!(with(r#""user":{"eq":"ann"}"#), ["GET /u/ann | a:Read on a://u/ann"]);
    assert_eq!(with(r#""user":{"in":["ann","bob"]}"#), ["GET /u/a* | a:Read on a://u/a*"]);
    assert_eq!(with(r#""n":{"min":1,"max":2}"#), ["GET /u/a* | a:Read on a://u/a*"]);
    for closed in [
        r#""user":{"eq":"bob"}"#,
        r#""user":{"in":["bob","eve"]}"#,
        r#""user":{"eq":"a/b"}"#,
        r#""user":{"min":1}"#,
        r#""n":{"min":2,"max":1}"#,
        r#""n":{"eq":"1"}"#,
        r#""n":{"glob":"*"}"#,
        r#""other":{"eq":1}"#,
    ] {
        assert_eq!(with(closed), [""; 0], "{closed}");
    }
}

/// `1` is another rule's path, and `1.0` is not: no request that was tried is no proof.
#[test]
fn what_is_not_proven_closed_is_listed() {
    let rules = [
        r#"{method: GET, path: "/{n}", action: "a:Read", resource: "a://x", params: {n: {from: path.n, type: number}}}"#,
        r#"{method: GET, path: "/1", action: none}"#,
    ];
    let grant = grant(r#""actions":["a:Read"],"resources":["a://x"],"constraints":{"n":{"min":1,"max":1}}"#);
    let policy = compiled(&with_rules(&rules));
    assert_eq!(
        opens(&policy, &grant).iter().map(line).collect::<Vec<_>>(),
        ["GET /{n} | a:Read on a://x | except /1"]
    );
    let judge = Judge::of(&policy);
    let request = Line { method: "GET", host: "a.internal", path: "/1.0", headers: &[] };
    assert!(judge.decide(&judge.token(&[grant]), &request).is_ok());
}

#[test]
fn parameters_are_shown_by_their_sources() {
    let rules = [r#"{method: GET, path: "/", query: {q: optional}, action: "a:Read", resource: "a://x",
          params: {p: {from: query.q, type: boolean}, h: header.x-y}}"#];
    let policy = compiled(&with_rules(&rules));
    let grant = grant(r#""actions":["a:Read"],"resources":["a://x"],"constraints":{"p":{"eq":true}}"#);
    let openings = opens(&policy, &grant);
    let params: Vec<_> = openings[0].params.iter().map(|p| json!([p.name, p.from, p.kind, p.must])).collect();
    assert_eq!(
        params,
        [json!(["h", "header.x-y", "string", null]), json!(["p", "query.q", "boolean", {"eq": true}])]
    );
    assert_eq!(openings[0].place.map(|place| place.line), Some(6));
}

/// An example would have to have a body; what it must say is a condition or a constraint.
#[test]
fn what_a_body_must_say_is_shown_by_its_source() {
    let rules = [
        r#"{method: POST, path: "/", form: {Action: required, Id: optional}, action: "rds:{form.Action}",
          resource: "rds://db", params: {id: form.Id}}"#,
        r#"{method: POST, path: "/book", action: "f:Book", resource: "f://{body./flight}",
          params: {user: body./passenger/id}}"#,
    ];
    let policy = compiled(&with_rules(&rules));
    let shown = |members: &str| {
        let grant = grant(members);
        let openings = opens(&policy, &grant);
        assert!(openings.iter().all(|opening| opening.example.is_none()));
        let must = openings.iter().flat_map(|opening| &opening.params).filter(|param| param.must.is_some());
        let must: Vec<_> = must.map(|param| param.from.to_owned()).collect();
        (openings.iter().map(line).collect::<Vec<_>>().join("; "), must.join(", "))
    };
    assert_eq!(
        shown(r#""actions":["rds:Describe*"],"resources":["rds://db"],"constraints":{"id":{"eq":"a"}}"#),
        ("POST / | rds:Describe* on rds://db | form.Action is Describe*".to_owned(), "form.Id".to_owned())
    );
    assert_eq!(
        shown(r#""actions":["f:Book"],"resources":["f://x"],"constraints":{"user":{"eq":"ann"}}"#),
        ("POST /book | f:Book on f://x | body./flight is x".to_owned(), "body./passenger/id".to_owned())
    );
}
