//! Rules, grants and requests of tiny alphabets.

use policy::{Namespaces, Policy};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use verdict::{
    Grant,
    document::{HostDocument, RuleDocument},
    route::Host,
};

fn path() -> impl Strategy<Value = String> {
    let step = prop_oneof![Just("a"), Just("b"), Just("{x}"), Just("{y}")];
    (vec(step, 0..3), prop::bool::weighted(0.3)).prop_map(|(mut steps, deep)| {
        if deep {
            steps.push("{*r}");
        }
        format!("/{}", steps.join("/"))
    })
}

/// Most of these do not go with most paths; those that do not are left out.
fn rule() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        3 => Just("s:A"),
        1 => Just("s:B"),
        1 => Just("s:{x}"),
        1 => Just("s:A{query.q}"),
        1 => Just("s:{header.h}"),
    ];
    let step = prop_oneof![
        3 => Just("a"),
        2 => Just("{x}"),
        1 => Just("a{x}"),
        1 => Just("{x}b"),
        1 => Just("{x}{y}"),
        1 => Just("{query.q}"),
    ];
    let resource = (vec(step, 1..3), any::<bool>()).prop_map(|(mut steps, deep)| {
        if deep {
            steps.push("{r}");
        }
        format!("s://{}", steps.join("/"))
    });
    let params = prop_oneof![
        Just(json!({"p": {"from": "query.q", "type": "string"}})),
        Just(json!({"p": {"from": "query.q", "type": "number"}})),
        Just(json!({"p": {"from": "path.x", "type": "string"}})),
        Just(json!({"p": {"from": "path.r", "type": "string"}})),
        Just(json!({"p": {"from": "header.h", "type": "boolean"}})),
        Just(json!({})),
    ];
    let query = prop_oneof![Just(json!({"q": "required"})), Just(json!({"q": "optional"}))];
    let method = prop_oneof![3 => Just("GET"), 1 => Just("PUT")];
    (method, path(), action, resource, params, query).prop_map(
        |(method, path, action, resource, params, query)| {
            json!({"method": method, "path": path, "action": action, "resource": resource, "params": params, "query": query})
        },
    )
}

/// A policy of those rules that compile beside each other, at a host that is strict or not.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    (vec(rule(), 4..16), any::<bool>()).prop_map(|(rules, lenient)| {
        let mut kept: Vec<RuleDocument> = Vec::new();
        for rule in rules {
            kept.push(with_what_its_path_has(serde_json::from_value(rule).unwrap()));
            if Host::compile(&host(&kept)).is_err() {
                kept.pop();
            }
        }
        compiled(&kept, lenient)
    })
}

/// The rule without placeholders that its path lacks.
fn with_what_its_path_has(mut rule: RuleDocument) -> RuleDocument {
    for (capture, placeholder, text) in [("{x}", "{x}", "a"), ("{y}", "{y}", "b"), ("{*r}", "/{r}", "")] {
        if !rule.path.contains(capture) {
            rule.action = rule.action.replace(placeholder, text);
            rule.resource = rule.resource.map(|resource| resource.replace(placeholder, text));
            let source = capture.replace(['{', '}', '*'], "");
            rule.params.retain(|_, param| param.from != format!("path.{source}"));
        }
    }
    rule
}

fn host(rules: &[RuleDocument]) -> HostDocument {
    let host = json!({"names": ["a.internal"], "audience": "mesh", "rules": rules});
    serde_json::from_value(host).unwrap()
}

fn compiled(rules: &[RuleDocument], lenient: bool) -> Policy {
    let rules: Vec<String> = rules.iter().map(|rule| serde_json::to_string(rule).unwrap()).collect();
    let healthz = json!({"method": "TRACE", "path": "/healthz", "action": "none"}).to_string();
    let rules: Vec<&str> = rules.iter().map(String::as_str).chain([healthz.as_str()]).collect();
    let mut text = super::with_rules(&rules);
    if lenient {
        text =
            text.replacen("audience: mesh\n", "audience: mesh\n    allow: [semicolon, trailing_slash]\n", 1);
    }
    Policy::from_sources(&[("p.yaml", &text)], &Namespaces::open())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn grant() -> impl Strategy<Value = Grant> {
    let action = prop_oneof![Just("s:A"), Just("s:a"), Just("s:*"), Just("s:A*"), Just("s:Ab")];
    let step = prop_oneof![
        Just("a"),
        Just("b"),
        Just("*"),
        Just("a*"),
        Just("*b"),
        Just("a*b"),
        Just("ab"),
        Just("a;b")
    ];
    let resource = (vec(step, 1..3), prop::bool::weighted(0.4)).prop_map(|(mut steps, deep)| {
        if deep {
            steps.push("**");
        }
        format!("s://{}", steps.join("/"))
    });
    let predicates = prop_oneof![
        Just(json!({"eq": "a"})),
        Just(json!({"in": ["ab", "b/a", "1"]})),
        Just(json!({"glob": "a*"})),
        Just(json!({"min": 1, "max": 2})),
        Just(json!({"min": 2, "max": 1})),
        Just(json!({"eq": true})),
    ];
    let constraints = prop::option::weighted(0.4, predicates);
    (vec(action, 1..3), vec(resource, 1..3), constraints).prop_map(|(actions, resources, predicates)| {
        let mut grant = json!({"type": "task_grant", "actions": actions, "resources": resources});
        if let Some(predicates) = predicates {
            grant["constraints"] = json!({"p": predicates});
        }
        Grant::parse_list(json!([grant]).to_string().as_bytes()).unwrap().remove(0)
    })
}

pub(crate) fn segments() -> impl Strategy<Value = Vec<String>> {
    vec(
        prop_oneof![Just("a"), Just("b"), Just("ab"), Just("Ab"), Just("1"), Just("xx"), Just("a;b")]
            .prop_map(str::to_owned),
        0..4,
    )
}

pub(crate) fn value() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(
        0.8,
        prop_oneof![Just("a"), Just("b"), Just("1"), Just("true"), Just("ab")].prop_map(str::to_owned),
    )
}
