//! What a rule says of bodies, and what follows from what it reads.

mod support;

use support::{compiled, errors, with_rules};
use verdict::document::{BodyDocument, Presence, RuleDocument};

fn rule(text: &str) -> RuleDocument {
    compiled(&with_rules(&[text])).hosts()[0].rules[0].clone()
}

fn error(text: &str) -> String {
    errors(&with_rules(&[text]))
}

#[test]
fn what_is_read_says_which_body_it_is() {
    for (text, wanted) in [
        (r#"{method: POST, path: /, action: "n:A", resource: "n://a"}"#, BodyDocument::None),
        (r#"{method: POST, path: /, action: "n:A", resource: "n://a", body: opaque}"#, BodyDocument::Opaque),
        (r#"{method: POST, path: /, action: "n:A", resource: "n://a", body: json}"#, BodyDocument::Json),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", params: {p: "body./a/b"}}"#,
            BodyDocument::Json,
        ),
        (r#"{method: POST, path: /, action: "n:A", resource: "n://{body./a~1b}"}"#, BodyDocument::Json),
        (r#"{method: POST, path: /, action: "n:{body./0}", resource: "n://a"}"#, BodyDocument::Json),
        (r#"{method: POST, path: /, action: "n:A", resource: "n://a", body: form}"#, BodyDocument::Form),
        (
            r#"{method: POST, path: /, action: "n:{form.A}", resource: "n://a", form: {A: required}}"#,
            BodyDocument::Form,
        ),
    ] {
        assert_eq!(rule(text).body, wanted, "{text}");
    }
    let form = rule(
        r#"{method: POST, path: /, action: "n:A", resource: "n://a", form: {A: required, b: optional}}"#,
    );
    assert_eq!((form.form["A"], form.form["b"]), (Presence::Required, Presence::Optional));
}

#[test]
fn a_cap_is_written_in_bytes() {
    let capped = |cap: &str| {
        rule(&format!(
            r#"{{method: POST, path: /, action: "n:A", resource: "n://a", body: json, max_body: {cap}}}"#
        ))
    };
    for (cap, bytes) in
        [("1", 1), ("4096", 4096), ("64KiB", 65_536), ("1MiB", 1_048_576), ("1024KiB", 1_048_576)]
    {
        assert_eq!(capped(cap).max_body, Some(bytes), "{cap}");
    }
    for cap in [
        "0",
        "0KiB",
        "-1",
        "1.5",
        "2MiB",
        "64kb",
        "64 KiB",
        "KiB",
        "99999999999MiB",
        "true",
        "\"1\"",
        "[1]",
        "\"\"",
    ] {
        let text = format!(
            r#"{{method: POST, path: /, action: "n:A", resource: "n://a", body: json, max_body: {cap}}}"#
        );
        let error = error(&text);
        assert!(error.starts_with("p.yaml:6:89: routes[0].rules[0].max_body: must be"), "{cap}: {error}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused_at_its_place() {
    for (text, place) in [
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", body: opaque, params: {p: "body./a"}}"#,
            "6:93: routes[0].rules[0].params.p: reads JSON",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", body: none, form: {a: optional}}"#,
            "6:85: routes[0].rules[0].form: names of a form",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", form: {a: optional}, params: {p: "body./a"}}"#,
            "6:100: routes[0].rules[0].params.p: reads JSON",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", params: {p: form.a}}"#,
            "6:79: routes[0].rules[0].params.p: `form.a` is not declared",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", params: {p: body.a}}"#,
            "6:79: routes[0].rules[0].params.p: `a`: a JSON pointer begins with `/`",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://{body./~}"}"#,
            "6:58: routes[0].rules[0].resource: `/~`: in a JSON pointer",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", max_body: 1KiB}"#,
            "6:77: routes[0].rules[0].max_body: only a body",
        ),
        (
            r#"{method: POST, path: /, action: none, body: json}"#,
            "6:53: routes[0].rules[0].body: an exempt rule",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", form: {a: maybe}}"#,
            "6:77: routes[0].rules[0].form.a: `maybe` is unknown",
        ),
        (
            r#"{method: POST, path: /, action: "n:A", resource: "n://a", form: {_method: optional}}"#,
            "6:83: routes[0].rules[0].form._method: this name",
        ),
    ] {
        let error = error(text);
        assert!(error.starts_with(&format!("p.yaml:{place}")), "{text}: {error}");
    }
}
