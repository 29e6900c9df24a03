//! An edit with faults: what takes effect, and what stays.

use policy::{Compiled, Edit, Namespaces, Policy, Sources};

/// A file of `namespace` that opens `path` of `host`.
fn file(namespace: &str, host: &str, path: &str) -> String {
    let rules = format!("[{{method: GET, path: {path}, action: none}}]");
    format!("namespace: {namespace}\nroutes: [{{hosts: [{host}], audience: mesh, rules: {rules}}}]\n")
}

fn good() -> Sources {
    let files = [
        ("a.yaml", file("a", "a.internal", "/old")),
        ("b.yaml", file("b", "b.internal", "/old")),
        ("b2.yaml", file("b", "b2.internal", "/old")),
    ];
    files.into_iter().collect()
}

/// The good files with these instead of those of the same names.
fn edit(changes: &[(&str, &str)]) -> Edit {
    let kept = good();
    let kept = kept.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| name != changed));
    let sources = kept.chain(changes.iter().copied().filter(|(_, text)| !text.is_empty())).collect();
    Edit::compile(sources, &good(), &Namespaces::open())
}

fn open(policy: &Policy) -> Vec<String> {
    let mut open: Vec<_> = policy.exemptions().map(|open| format!("{}{}", open.host, open.path)).collect();
    open.sort();
    open
}

fn partly(edit: Edit) -> (Vec<String>, String) {
    match edit {
        Edit::Partly(Compiled { policy, .. }, errors) => (open(&policy), errors.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edit_without_faults_takes_effect_whole() {
    let Edit::Good(compiled) = edit(&[("a.yaml", &file("a", "a.internal", "/new")), ("b2.yaml", "")]) else {
        panic!("refused");
    };
    assert_eq!(open(&compiled.policy), ["a.internal/new", "b.internal/old"]);
}

#[test]
fn a_namespace_with_a_fault_keeps_all_its_files_and_the_others_change() {
    let (open, errors) = partly(edit(&[
        ("a.yaml", &file("a", "a.internal", "/new")),
        ("b.yaml", "namespace: b\nroutes: [\n"),
        ("b2.yaml", &file("b", "b2.internal", "/new")),
    ]));
    assert_eq!(open, ["a.internal/new", "b.internal/old", "b2.internal/old"]);
    assert!(errors.starts_with("b.yaml:"), "{errors}");
}

#[test]
fn a_new_namespace_with_a_fault_is_left_out() {
    let a = file("a", "a.internal", "/new");
    let (open, _) = partly(edit(&[("a.yaml", &a), ("c.yaml", "namespace: c\nx: 1\n")]));
    assert_eq!(open, ["a.internal/new", "b.internal/old", "b2.internal/old"]);
}

#[test]
fn a_file_that_changes_its_namespace_with_a_fault_holds_both() {
    let changed = "namespace: a\nx: 1\n";
    let edited = edit(&[("b.yaml", changed), ("a.yaml", &file("a", "a.internal", "/new"))]);
    assert!(matches!(edited, Edit::Bad(_)), "{edited:?}");
}

#[test]
fn nothing_changes_where_namespaces_are_at_odds_or_a_fault_is_nobodys() {
    let a = file("a", "a.internal", "/new");
    for changes in [
        // `b` keeps `b2.internal`, which `a` wants.
        vec![("a.yaml", file("a", "b2.internal", "/new")), ("b.yaml", "namespace: b\nx: 1\n".to_owned())],
        vec![("a.yaml", file("a", "b.internal", "/new"))],
        vec![("a.yaml", a), ("c.yaml", "routes: [".to_owned())],
        vec![("b.yaml", "namespace: b\nx: 1\n".to_owned())],
    ] {
        let changes: Vec<_> = changes.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let edited = edit(&changes);
        assert!(matches!(edited, Edit::Bad(_)), "{edited:?}");
    }
}

#[test]
fn the_last_good_policy_is_never_replaced_by_nothing() {
    let sources = [("c.yaml", "namespace: c\nx: 1\n")].into_iter().collect();
    let edited = Edit::compile(sources, &good(), &Namespaces::open());
    assert!(matches!(edited, Edit::Bad(_)), "{edited:?}");
}

#[test]
fn without_a_last_good_policy_a_fault_is_a_fault() {
    let files = [("a.yaml", file("a", "a.internal", "/")), ("b.yaml", "namespace: b\nx: 1\n".to_owned())];
    let edited = Edit::compile(files.into_iter().collect(), &Sources::default(), &Namespaces::open());
    assert!(matches!(edited, Edit::Bad(_)), "{edited:?}");
}

#[test]
fn the_text_of_a_policy_is_not_shown_by_debug() {
    assert_eq!(format!("{:?}", good()), r#"{"a.yaml", "b.yaml", "b2.yaml"}"#);
}
