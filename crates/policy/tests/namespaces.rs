//! A namespace claims only what the operator gave it.

mod support;

use policy::{Namespaces, Policy};
use support::errors_of;

const FILE: &str = r#"namespace: logs
clients:
  log-janitor:
    authenticate: {generated: true}
    may_request:
      - {actions: ["s3:GetObject", "s3:*"], resources: ["s3://b/**"]}
routes:
  - hosts: [logs.internal, a.logs.example.org]
    audience: mesh
    rules:
      - {method: GET, path: "/{a}", action: "s3:GetObject", resource: "s3://{a}"}
      - {method: GET, path: "/", query: {Action: required}, action: "s3:{query.Action}", resource: "s3://b"}
      - {method: GET, path: "/healthz", action: none}
"#;

fn namespaces(yaml: &str) -> Namespaces {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn a_file_within_its_claims_compiles() {
    let all = "logs: {hosts: [logs.internal, '*.logs.example.org'], actions: ['s3:*'], clients: ['log-*']}";
    assert!(Policy::from_sources(&[("p.yaml", FILE)], &namespaces(all)).is_ok());
}

#[test]
fn every_claim_outside_is_located() {
    let none = "logs: {}";
    assert_eq!(
        errors_of(&[("p.yaml", FILE)], &namespaces(none)),
        "p.yaml:3:3: clients.log-janitor: namespace `logs` may not claim client `log-janitor`\n\
         p.yaml:6:20: clients.log-janitor.may_request[0].actions[0]: namespace `logs` may not claim action `s3:GetObject`\n\
         p.yaml:6:36: clients.log-janitor.may_request[0].actions[1]: namespace `logs` may not claim action `s3:*`\n\
         p.yaml:8:13: routes[0].hosts[0]: namespace `logs` may not claim host `logs.internal`\n\
         p.yaml:8:28: routes[0].hosts[1]: namespace `logs` may not claim host `a.logs.example.org`\n\
         p.yaml:11:45: routes[0].rules[0].action: namespace `logs` may not claim action `s3:GetObject`\n\
         p.yaml:12:69: routes[0].rules[1].action: namespace `logs` may not claim action `s3:{query.Action}`"
    );
}

#[test]
fn a_claim_of_one_action_is_not_one_of_a_pattern_or_template() {
    let one =
        "logs: {hosts: [logs.internal, '*.logs.example.org'], actions: ['s3:GetObject'], clients: ['*']}";
    assert_eq!(
        errors_of(&[("p.yaml", FILE)], &namespaces(one)),
        "p.yaml:6:36: clients.log-janitor.may_request[0].actions[1]: namespace `logs` may not claim action `s3:*`\n\
         p.yaml:12:69: routes[0].rules[1].action: namespace `logs` may not claim action `s3:{query.Action}`"
    );
}

#[test]
fn a_namespace_that_nobody_made_is_an_error() {
    assert_eq!(
        errors_of(&[("p.yaml", FILE)], &namespaces("{flights: {hosts: ['*.internal']}}")),
        "p.yaml:1:12: namespace: `logs` is no namespace of the configuration"
    );
    assert_eq!(
        errors_of(&[("p.yaml", FILE)], &namespaces("{}")),
        "p.yaml:1:12: namespace: `logs` is no namespace of the configuration"
    );
}

#[test]
fn the_configuration_is_read_strictly() {
    for yaml in [
        "logs: {host: [a]}",
        "logs: {hosts: ['a.*']}",
        "logs: {hosts: ['*']}",
        "logs: {actions: ['*:Get']}",
        "logs: {clients: ['a*b']}",
        "null",
        "[]",
    ] {
        assert!(serde_saphyr::from_str::<Namespaces>(yaml).is_err(), "{yaml}");
    }
}
