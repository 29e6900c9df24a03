//! What is not plain YAML, or too much of it, is refused where it goes wrong.

mod support;

use policy::{Namespaces, Policy};
use support::errors;

#[test]
fn broken_yaml_is_located() {
    for (text, error) in [
        ("namespace: [", "p.yaml:1:12: unclosed bracket '['"),
        ("namespace: *nope\n", "p.yaml:1:12: reference to unknown value"),
        ("namespace: \"a\0b\"\n", "p.yaml:1:14: unexpected character: `\\u{0}'"),
        ("", "p.yaml:1:1: must be a mapping, not nothing"),
        ("- a\n", "p.yaml:1:1: must be a mapping, not a list"),
    ] {
        assert_eq!(errors(text), error, "{text:?}");
    }
}

#[test]
fn a_key_stands_once() {
    assert_eq!(
        errors("namespace: n\nclients:\n  a: {}\n  a: {}\n"),
        "p.yaml:4:3: duplicate mapping key `a` is not allowed here"
    );
    assert_eq!(
        errors("namespace: n\nnamespace: m\n"),
        "p.yaml:2:1: duplicate mapping key `namespace` is not allowed here"
    );
}

#[test]
fn what_other_parsers_might_read_differently_is_refused() {
    for (text, error) in [
        ("namespace: n\nclients: {a: &x {}, <<: *x}\n", "p.yaml:2:21: merge key not allowed here"),
        ("namespace: !env HOME\n", "p.yaml:1:17: unsupported tag `!env`"),
        ("namespace: n\n---\nnamespace: m\n", "p.yaml:2:1: a policy file is one YAML document"),
        ("namespace: n\n? [a]\n: b\n", "p.yaml:2:3: expected string scalar"),
        ("namespace: 5\n", "p.yaml:1:12: namespace: must be a string, not a number: put it in quotes"),
        ("namespace: true\n", "p.yaml:1:12: namespace: must be a string, not a boolean: put it in quotes"),
        ("namespace:\n", "p.yaml:1:10: namespace: must be a string, not nothing"),
    ] {
        assert_eq!(errors(text), error, "{text:?}");
    }
}

#[test]
fn yes_and_on_are_words() {
    assert_eq!(
        errors(&support::with_authenticate("{generated: yes}")),
        "p.yaml:4:31: clients.c.authenticate.generated: must be `true` or `false`, not a string"
    );
}

#[test]
fn an_alias_is_what_it_stands_for() {
    let policy = support::compiled(
        "namespace: n\nroutes:\n  - &one\n    hosts: [a.internal]\n    audience: &mesh mesh\n    \
         rules: &rules [{method: GET, path: /, action: none}]\n  \
         - {hosts: [b.internal], audience: *mesh, rules: *rules}\n",
    );
    assert_eq!(policy.hosts()[0].rules, policy.hosts()[1].rules);
    assert_eq!(policy.audiences().len(), 1);
}

#[test]
fn an_alias_bomb_is_stopped() {
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for level in 1..=9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = errors(&bomb);
    assert!(error.starts_with("p.yaml:5:"), "{error}");
    assert!(error.ends_with(": aliases stand for too many values"), "{error}");
    assert_eq!(errors("a: &a [*a]\n"), "p.yaml:1:8: Recursive reference not allowed here");
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("namespace: {}", "[".repeat(10_000));
    assert!(errors(&deep).starts_with("p.yaml:1:"), "{}", errors(&deep));
    let block: String = (0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(errors(&block).ends_with(": nested too deeply"), "{}", errors(&block));
    let many = format!("namespace: n\nx: [{}]\n", "1,".repeat(250_000));
    assert!(errors(&many).ends_with(": too many values or aliases for one file"), "{}", errors(&many));
    let large = format!("namespace: n\n#{}\n", "x".repeat(1024 * 1024));
    assert_eq!(errors(&large), "p.yaml: larger than 1048576 bytes");
}

#[test]
fn a_byte_order_mark_is_no_content() {
    assert!(Policy::from_sources(&[("p.yaml", "\u{feff}namespace: n\n")], &Namespaces::open()).is_ok());
}
