//! What the tests of this crate share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod generated;
pub(crate) mod judge;

use policy::{Namespaces, Policy};

/// The errors of one file named `p.yaml`, one a line.
pub(crate) fn errors(text: &str) -> String {
    errors_of(&[("p.yaml", text)], &Namespaces::open())
}

/// The errors of several files.
pub(crate) fn errors_of(sources: &[(&str, &str)], namespaces: &Namespaces) -> String {
    match Policy::from_sources(sources, namespaces) {
        Ok(policy) => panic!("compiled: {policy:?}"),
        Err(errors) => errors.to_string(),
    }
}

/// The policy of one file without faults.
pub(crate) fn compiled(text: &str) -> Policy {
    Policy::from_sources(&[("p.yaml", text)], &Namespaces::open()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A file with these rules, in flow style, on lines 6 and after.
pub(crate) fn with_rules(rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("      - {rule}\n")).collect();
    format!("namespace: n\nroutes:\n  - hosts: [a.internal]\n    audience: mesh\n    rules:\n{rules}")
}

/// A file with one host, which has `members` on line 5 and after.
pub(crate) fn with_host(members: &str) -> String {
    format!(
        "namespace: n\nroutes:\n  - hosts: [a.internal]\n    audience: mesh\n    {members}\n    \
         rules: [{{method: GET, path: /, action: none}}]\n"
    )
}

/// A file with one client that has one ceiling, in flow style, on line 6.
pub(crate) fn with_ceiling(ceiling: &str) -> String {
    format!(
        "namespace: n\nclients:\n  c:\n    authenticate: {{generated: true}}\n    may_request:\n      - {ceiling}\n"
    )
}

/// A file with one client that authenticates so, on line 4.
pub(crate) fn with_authenticate(authenticate: &str) -> String {
    format!(
        "namespace: n\nclients:\n  c:\n    authenticate: {authenticate}\n    \
         may_request: [{{actions: [\"s3:*\"], resources: [\"s3://b\"]}}]\n"
    )
}
