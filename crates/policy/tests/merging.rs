//! Files are one policy: what two of them say must fit together.

mod support;

use policy::{Namespaces, Policy};
use support::errors_of;

const ONE: &str = r#"namespace: logs
clients:
  janitor:
    authenticate: {generated: true}
    may_request: [{actions: ["s3:*"], resources: ["s3://b/**"]}]
routes:
  - {hosts: [a.internal], audience: mesh, rules: [{method: GET, path: /, action: none}]}
"#;

fn with(name: &str, from: &str) -> String {
    ONE.replace(from, name)
}

#[test]
fn files_of_one_namespace_and_of_several_merge() {
    let same = with("b.internal", "a.internal").replace("janitor", "sweeper");
    let other = with("c.internal", "a.internal").replace("janitor", "keeper").replace("logs", "other");
    let policy =
        Policy::from_sources(&[("1.yaml", ONE), ("2.yaml", &same), ("3.yaml", &other)], &Namespaces::open());
    let policy = policy.unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(policy.clients().keys().collect::<Vec<_>>(), ["janitor", "keeper", "sweeper"]);
    assert_eq!(policy.clients()["keeper"].namespace, "other");
    assert_eq!(policy.hosts().len(), 3);
}

#[test]
fn a_host_and_a_client_are_defined_once() {
    assert_eq!(
        errors_of(&[("1.yaml", ONE), ("2.yaml", ONE)], &Namespaces::open()),
        "2.yaml:3:3: clients.janitor: client `janitor` is already defined at 1.yaml:3\n\
         2.yaml:7:14: routes[0].hosts[0]: host `a.internal` is already listed at 1.yaml:7"
    );
}

#[test]
fn a_host_is_listed_once_in_one_file_too() {
    let text = "namespace: n\nroutes:\n  \
                - {hosts: [a.internal, a.internal], audience: mesh, rules: [{method: GET, path: /, action: none}]}\n  \
                - {hosts: [a.internal], audience: mesh, rules: [{method: GET, path: /a, action: none}]}\n";
    assert_eq!(
        errors_of(&[("p.yaml", text)], &Namespaces::open()),
        "p.yaml:3:26: routes[0].hosts[1]: host `a.internal` is already listed at p.yaml:3\n\
         p.yaml:4:14: routes[1].hosts[0]: host `a.internal` is already listed at p.yaml:3"
    );
}

#[test]
fn errors_of_all_files_are_reported_together() {
    assert_eq!(
        errors_of(&[("1.yaml", "namespace: ["), ("2.yaml", ONE), ("3.yaml", "x: 1\n")], &Namespaces::open()),
        "1.yaml:1:12: unclosed bracket '['\n\
         3.yaml:1:1: `namespace` is missing\n\
         3.yaml:1:1: x: unknown field; known are `namespace`, `clients`, `credentials`, `routes`"
    );
}

#[test]
fn no_file_is_a_policy_that_opens_nothing() {
    let policy = Policy::from_sources(&[], &Namespaces::open()).unwrap();
    assert!(policy.hosts().is_empty() && policy.clients().is_empty() && policy.exemptions().next().is_none());
}
