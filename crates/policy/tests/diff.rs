//! What changes from one policy to another.

use policy::{
    Namespaces, Policy,
    diff::{Change, ChangeKind, MemberChange, Subject, diff},
};
use serde_json::json;

const BASE: &str = r#"
namespace: shop
clients:
  till:
    authenticate: [{secret_sha256: "0000000000000000000000000000000000000000000000000000000000000000"}]
    agents: ["spiffe://example.org/*"]
    may_request:
      - {actions: ["shop:Read"], resources: ["shop://a/**"]}
routes:
  - hosts: [a.internal, b.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/items/{id}", action: "shop:Read", resource: "shop://a/{id}"}
      - {method: GET, path: /healthz, action: none}
"#;

fn compile(text: &str) -> Policy {
    Policy::from_sources(&[("shop.yaml", text)], &Namespaces::open())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

/// What changes if `from` becomes `to` in the base.
fn edit(from: &str, to: &str) -> Vec<Change> {
    assert!(BASE.contains(from), "{from}");
    diff(&compile(BASE), &compile(&BASE.replacen(from, to, 1)))
}

fn hosts(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_same_policy_in_other_files_is_no_change() {
    let (clients, routes) = BASE.split_at(BASE.find("routes:").unwrap());
    let routes = format!("namespace: shop\n{routes}");
    let split =
        Policy::from_sources(&[("z.yaml", clients), ("a.yaml", &routes)], &Namespaces::open()).unwrap();
    assert_eq!(diff(&compile(BASE), &split), []);
}

#[test]
fn a_changed_rule_is_one_change_at_all_names_of_its_host() {
    let changes = edit(r#"action: "shop:Read""#, r#"action: "shop:Look""#);
    let [Change { subject, kind: ChangeKind::Changed(members), place: Some(place) }] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    let (method, path) = ("GET".to_owned(), "/items/{id}".to_owned());
    let both = hosts(&["a.internal", "b.internal"]);
    assert_eq!(*subject, Subject::Rule { hosts: both, method, path, exempt: false });
    let member = MemberChange { member: "action", before: json!("shop:Read"), after: json!("shop:Look") };
    assert_eq!(*members, [member]);
    assert_eq!((place.file.as_str(), place.line), ("shop.yaml", 13));
}

#[test]
fn what_opens_to_everyone_is_said_with_a_new_host_too() {
    let added = "  - hosts: [c.internal]\n    audience: mesh\n    rules:\n      \
                 - {method: GET, path: /open, action: none}\n";
    let changes = diff(&compile(BASE), &compile(&format!("{BASE}{added}")));
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!(changes[0].subject, Subject::Hosts(hosts(&["c.internal"])));
    assert!(matches!(&changes[1].subject, Subject::Rule { exempt: true, .. }));
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Added));
}

#[test]
fn a_host_name_that_goes_leaves_the_others_as_they_were() {
    let changes = edit("[a.internal, b.internal]", "[a.internal]");
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Removed && change.place.is_none()));
    assert_eq!(changes[0].subject, Subject::Hosts(hosts(&["b.internal"])));
}

#[test]
fn a_ceiling_that_changes_goes_and_comes() {
    let changes = edit("shop://a/**", "shop://**");
    let kinds: Vec<_> = changes.iter().map(|change| &change.kind).collect();
    assert_eq!(kinds, [&ChangeKind::Removed, &ChangeKind::Added]);
    assert!(
        changes
            .iter()
            .all(|change| matches!(&change.subject, Subject::Ceiling { client, .. } if client == "till"))
    );
}

/// The hash of a secret is for the server alone, and a changed one is a change all the same.
#[test]
fn a_changed_secret_is_said_and_not_shown() {
    let changes = edit("0000", "abcd");
    assert!(matches!(&changes[0].kind, ChangeKind::Changed(members) if members[0].member == "authenticate"));
    assert!(!format!("{changes:?}").contains("abcd"));
}

#[test]
fn a_client_that_comes_brings_its_ceilings() {
    let changes = edit("  till:", "  other:");
    let kinds: Vec<_> = changes.iter().map(|change| &change.kind).collect();
    assert_eq!(kinds, [&ChangeKind::Removed, &ChangeKind::Added, &ChangeKind::Added]);
}

#[test]
fn members_of_hosts_are_compared() {
    for (from, to) in
        [("audience: mesh", "audience: other"), ("audience: mesh", "audience: mesh\n    max_staleness: 10s")]
    {
        let changes = edit(from, to);
        assert!(
            matches!(
                changes.as_slice(),
                [Change { subject: Subject::Hosts(_), kind: ChangeKind::Changed(_), .. }]
            ),
            "{changes:?}"
        );
    }
}

#[test]
fn a_changed_delegation_is_said() {
    let (from, to) = ("    may_request:", "    may_delegate: [{from: [a], to: [\"b-*\"]}]\n    may_request:");
    let changes = edit(from, to);
    let [Change { subject: Subject::Client(_), kind: ChangeKind::Changed(members), .. }] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    let after = json!([{ "from": ["a"], "to": ["b-*"] }]);
    assert_eq!(*members, [MemberChange { member: "may_delegate", before: json!([]), after }]);
}

#[test]
fn a_credential_that_changes_is_said_without_its_secret() {
    let policy = |lease: &str, file: &str| {
        compile(&format!(
            "namespace: n\ncredentials:\n  c: {{clusters: [a], inject: {{header: x-api-key}}, secret: {{file: {file}}}, lease: {lease}}}\n"
        ))
    };
    assert!(diff(&policy("30s", "/a"), &policy("30s", "/a")).is_empty());
    let changes = diff(&policy("30s", "/a"), &policy("1m", "/b"));
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.subject, Subject::Credential("n/c".into()));
    let ChangeKind::Changed(members) = &change.kind else { panic!("{change:?}") };
    let shown: Vec<_> = members.iter().map(|member| (member.member, member.after.to_string())).collect();
    assert_eq!(shown, [("secret", r#"{"file":"/b"}"#.to_owned()), ("lease", "60".to_owned())]);
    let none = compile("namespace: n\n");
    assert_eq!(diff(&none, &policy("30s", "/a"))[0].kind, ChangeKind::Added);
    assert_eq!(diff(&policy("30s", "/a"), &none)[0].kind, ChangeKind::Removed);
}
